{{ config(cluster_by=clustering(['wallet_address']), tags=['nightly']) }}

with trades as (

    select * from {{ ref('trades') }}
    where wallet_address is not null

),

entries as (

    select * from {{ ref('int_ledger_entries') }}

),

moves as (

    select * from {{ ref('int_ledger_moves') }}

),

redemptions as (

    select * from {{ ref('int_redemptions') }}

),

outcomes as (

    select * from {{ ref('int_market_outcomes') }}

),

moment as (

    select * from {{ ref('int_as_of') }}

),

-- What each day added to a position: shares that came and left, what they cost and brought. `left_shares` and
-- `cash_usd` know nothing of redemptions: by resolution, redeemed shares count as if they were held still.
traded as (

    select
        trades.wallet_address,
        trades.token_id,
        cast(trades.timestamp as date) as pnl_date,
        sum(case when trades.side = 'BUY' then trades.shares else 0 end) as acquired,
        sum(case when trades.side = 'BUY' then 0 else trades.shares end) as disposed,
        sum(
            case when trades.side = 'BUY' then trades.usd_value + coalesce(trades.fee_usd, 0) else 0 end
        ) as cost_usd,
        sum(
            case when trades.side = 'BUY' then 0 else trades.usd_value - coalesce(trades.fee_usd, 0) end
        ) as proceeds_usd,
        sum(
            case when trades.side = 'BUY' then -trades.usd_value else trades.usd_value end
            - coalesce(trades.fee_usd, 0)
        ) as cash_usd,
        sum(case when trades.side = 'BUY' then trades.shares else -trades.shares end) as left_shares
    from trades
    cross join moment
    where trades.timestamp <= moment.as_of
    group by trades.wallet_address, trades.token_id, cast(trades.timestamp as date)

),

moved as (

    select
        wallet_address,
        token_id,
        cast(timestamp as date) as pnl_date,
        case when shares_added > 0 then shares else 0 end as acquired,
        case when shares_added > 0 then 0 else shares end as disposed,
        case when shares_added > 0 then usd_value else 0 end as cost_usd,
        case when shares_added > 0 then 0 else usd_value end as proceeds_usd,
        case when shares_added > 0 then -usd_value else usd_value end as cash_usd,
        shares_added as left_shares
    from moves

),

redeemed as (

    select
        wallet_address,
        token_id,
        cast(redeemed_at as date) as pnl_date,
        0 as acquired,
        shares_redeemed as disposed,
        0 as cost_usd,
        redeemed_usd as proceeds_usd,
        0 as cash_usd,
        0 as left_shares
    from redemptions

),

moved_days as (

    select * from traded
    union all
    select * from moved
    union all
    select * from redeemed

),

decided as (

    select
        outcomes.contract_id,
        outcomes.payout,
        outcomes.is_resolved,
        cast(outcomes.resolved_at as date) as resolved_date
    from outcomes
    cross join moment
    where
        (outcomes.is_resolved or outcomes.is_voided)
        and outcomes.resolved_at <= moment.as_of

),

-- On the day of its resolution a position changes, though nobody moved.
resolved_days as (

    select distinct
        moved_days.wallet_address,
        moved_days.token_id,
        decided.resolved_date as pnl_date,
        0 as acquired,
        0 as disposed,
        0 as cost_usd,
        0 as proceeds_usd,
        0 as cash_usd,
        0 as left_shares
    from moved_days
    inner join decided on moved_days.token_id = decided.contract_id

),

all_days as (

    select * from moved_days
    union all
    select * from resolved_days

),

position_days as (

    select
        wallet_address,
        token_id,
        pnl_date,
        sum(acquired) as acquired,
        sum(disposed) as disposed,
        sum(cost_usd) as cost_usd,
        sum(proceeds_usd) as proceeds_usd,
        sum(cash_usd) as cash_usd,
        sum(left_shares) as left_shares
    from all_days
    group by wallet_address, token_id, pnl_date

),

-- The sums of a position up to the end of each of its days.
grown as (

    select
        wallet_address,
        token_id,
        {%- for column in ['acquired', 'disposed', 'cost_usd', 'proceeds_usd', 'cash_usd', 'left_shares'] %}
        cast(sum({{ column }}) over so_far as {{ money_type() }}) as {{ column }},
        {%- endfor %}
        pnl_date
    from position_days
    window
        so_far as (
            partition by wallet_address, token_id
            order by pnl_date rows between unbounded preceding and current row
        )

),

matched as (

    select
        grown.*,
        least(grown.disposed, grown.acquired) as shares_matched,
        decided.payout,
        coalesce(decided.is_resolved and grown.pnl_date >= decided.resolved_date, false) as is_resolved
    from grown
    left join decided on grown.token_id = decided.contract_id

),

-- What `wallet_positions` would have said at the end of the day.
booked as (

    select
        wallet_address,
        token_id,
        pnl_date,
        case
            when is_resolved and payout = 0 then cash_usd
            when is_resolved and payout = 1 then cash_usd + left_shares
            when is_resolved then cash_usd + cast(left_shares * payout as {{ money_type() }})
            else proceeds_usd - {{ prorate('cost_usd', 'shares_matched', 'acquired') }}
        end as booked_usd
    from matched

),

changes as (

    select
        wallet_address,
        pnl_date,
        booked_usd
        - coalesce(lag(booked_usd) over (partition by wallet_address, token_id order by pnl_date), 0) as pnl_usd,
        0 as income_usd
    from booked

),

-- Days on which money only moved are listed as well.
incomes as (

    select
        entries.wallet_address,
        cast(entries.timestamp as date) as pnl_date,
        case when entries.is_income then entries.usd_value else 0 end as pnl_usd,
        case when entries.is_income then entries.usd_value else 0 end as income_usd
    from entries
    cross join moment
    where entries.timestamp <= moment.as_of

),

all_changes as (

    select * from changes
    union all
    select * from incomes

),

days as (

    select
        wallet_address,
        pnl_date,
        sum(pnl_usd) as pnl_usd,
        sum(income_usd) as income_usd
    from all_changes
    group by wallet_address, pnl_date

),

curve as (

    select
        *,
        sum(pnl_usd) over (
            partition by wallet_address
            order by pnl_date rows between unbounded preceding and current row
        ) as cumulative_pnl_usd
    from days

),

peaks as (

    select
        *,
        greatest(
            max(cumulative_pnl_usd) over (
                partition by wallet_address
                order by pnl_date rows between unbounded preceding and current row
            ),
            0
        ) as peak_usd
    from curve

),

daily_pnl as (

    select
        'polymarket' as venue,
        wallet_address,
        pnl_date,
        cast(pnl_usd as {{ money_type() }}) as pnl_usd,
        cast(income_usd as {{ money_type() }}) as income_usd,
        cast(cumulative_pnl_usd as {{ money_type() }}) as cumulative_pnl_usd,
        cast(peak_usd - cumulative_pnl_usd as {{ money_type() }}) as drawdown_usd
    from peaks

)

select * from daily_pnl
