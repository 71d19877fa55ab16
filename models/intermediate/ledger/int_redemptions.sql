{{ config(cluster_by=clustering(['wallet_address', 'token_id'])) }}

with entries as (

    select * from {{ ref('int_ledger_entries') }}
    where entry_type = 'REDEEM'

),

totals as (

    select * from {{ ref('int_position_totals') }}

),

trades as (

    select * from {{ ref('trades') }}

),

moves as (

    select * from {{ ref('int_ledger_moves') }}

),

outcomes as (

    select * from {{ ref('int_market_outcomes') }}

),

moment as (

    select * from {{ ref('int_as_of') }}

),

redeemed as (

    select
        entries.wallet_address,
        entries.condition_id,
        count(*) as redemptions,
        sum(entries.usd_value) as cash_usd,
        max(entries.timestamp) as redeemed_at
    from entries
    cross join moment
    where entries.timestamp <= moment.as_of
    group by entries.wallet_address, entries.condition_id

),

positions as (

    select
        redeemed.*,
        outcomes.contract_id as token_id,
        outcomes.outcome_index,
        case when outcomes.is_resolved and outcomes.resolved_at <= moment.as_of then outcomes.payout end as payout
    from redeemed
    cross join moment
    inner join outcomes on redeemed.condition_id = outcomes.market_id

),

-- Nearly nobody trades after a redemption, and then the sums that are there serve.
late_pairs as (

    select
        positions.wallet_address,
        positions.token_id,
        positions.redeemed_at
    from positions
    inner join totals
        on
            positions.wallet_address = totals.wallet_address
            and positions.token_id = totals.token_id
    where totals.last_trade_at > positions.redeemed_at

),

late_trades as (

    select
        late_pairs.wallet_address,
        late_pairs.token_id,
        sum(case when trades.side = 'BUY' then trades.shares else -trades.shares end) as shares_added
    from late_pairs
    inner join trades
        on
            late_pairs.wallet_address = trades.wallet_address
            and late_pairs.token_id = trades.token_id
            and late_pairs.redeemed_at < trades.timestamp
    cross join moment
    where trades.timestamp <= moment.as_of
    group by late_pairs.wallet_address, late_pairs.token_id

),

moved as (

    select
        positions.wallet_address,
        positions.token_id,
        sum(moves.shares_added) as shares_added
    from positions
    inner join moves
        on
            positions.wallet_address = moves.wallet_address
            and positions.token_id = moves.token_id
            and positions.redeemed_at >= moves.timestamp
    group by positions.wallet_address, positions.token_id

),

weighed as (

    select
        positions.*,
        greatest(
            coalesce(totals.shares_bought, 0) - coalesce(totals.shares_sold, 0)
            - coalesce(late_trades.shares_added, 0) + coalesce(moved.shares_added, 0),
            0
        ) as shares_before
    from positions
    left join totals
        on
            positions.wallet_address = totals.wallet_address
            and positions.token_id = totals.token_id
    left join late_trades
        on
            positions.wallet_address = late_trades.wallet_address
            and positions.token_id = late_trades.token_id
    left join moved
        on
            positions.wallet_address = moved.wallet_address
            and positions.token_id = moved.token_id

),

compared as (

    select
        *,
        cast(shares_before * coalesce(payout, 0) as {{ money_type() }}) as owed_usd,
        count(*) over (partition by wallet_address, condition_id) as outcomes_in_market,
        sum(case when payout > 0 then 1 else 0 end) over (partition by wallet_address, condition_id) as paying_outcomes,
        row_number() over (
            partition by wallet_address, condition_id
            order by shares_before desc, outcome_index asc
        ) = 1 as is_largest,
        row_number() over (partition by wallet_address, condition_id order by outcome_index desc) = 1 as is_last
    from weighed

),

parted as (

    select
        *,
        sum(owed_usd) over (partition by wallet_address, condition_id) as market_owed_usd,
        sum(case when is_last then 0 else round(owed_usd, 6) end)
            over (partition by wallet_address, condition_id) as others_usd
    from compared

),

-- A redemption names its cash and not its shares. Where one outcome pays, they follow; where several do, it took all
-- that there were, and the cash must agree; losers go along for nothing.
shared as (

    select
        wallet_address,
        condition_id as market_id,
        token_id,
        redeemed_at,
        cast(
            case
                when paying_outcomes = 1 and payout > 0 then {{ prorate('cash_usd', '1', 'payout') }}
                else shares_before
            end as {{ money_type() }}
        ) as shares_redeemed,
        cast(
            case
                when paying_outcomes = 0 and is_largest then cash_usd
                when paying_outcomes = 1 and payout > 0 then cash_usd
                when paying_outcomes > 1 and is_last then cash_usd - others_usd
                when paying_outcomes > 1 then round(owed_usd, 6)
                else 0
            end as {{ money_type() }}
        ) as redeemed_usd,
        paying_outcomes <= 1
        or abs(cash_usd - market_owed_usd)
        <= redemptions * outcomes_in_market * cast('0.000001' as {{ money_type() }}) as is_clear
    from parted

),

-- Who redeems an outcome of which it holds nothing, for nothing, has no part in it. Of a market that is not clear some
-- outcome always stays: there was cash, or there were shares.
redemptions as (

    select * from shared
    where
        shares_redeemed != 0
        or redeemed_usd != 0

)

select * from redemptions
