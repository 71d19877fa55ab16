-- The scores of all time hold exactly the profits of the scored markets that were resolved by the moment of the scores.
with pnl as (

    select * from {{ ref('wallet_market_pnl') }}
    where is_scored

),

scores as (

    select * from {{ ref('wallet_scores') }}
    where period = 'all'

),

profits as (

    select
        wallet_address,
        sum(resolved_pnl) as total_pnl
    from pnl
    group by wallet_address

),

differing as (

    select
        scores.wallet_address,
        scores.total_pnl,
        profits.total_pnl as total_pnl_of_markets
    from scores
    full outer join profits on scores.wallet_address = profits.wallet_address
    where
        scores.wallet_address is null
        or scores.total_pnl != coalesce(profits.total_pnl, 0)

),

late as (

    select
        pnl.wallet_address,
        pnl.market_id,
        pnl.resolved_at
    from pnl
    inner join scores on pnl.wallet_address = scores.wallet_address
    where pnl.resolved_at > scores.as_of

),

wrong as (

    select
        wallet_address,
        'sum' as rule
    from differing
    union all
    select
        wallet_address,
        'resolved after as_of' as rule
    from late

)

select * from wrong
