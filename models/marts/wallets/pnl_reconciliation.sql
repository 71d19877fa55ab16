{{ config(materialized='view') }}

with positions as (

    select * from {{ ref('wallet_positions') }}

),

entries as (

    select * from {{ ref('int_ledger_entries') }}

),

coverage as (

    select * from {{ ref('int_wallet_coverage') }}
    where venue = 'polymarket'

),

venue_positions as (

    select * from {{ ref('stg_polymarket__positions') }}

),

venue_standings as (

    select * from {{ ref('stg_polymarket__standings') }}

),

walks as (

    select * from {{ ref('stg_polymarket__walks') }}
    where
        resource in ('positions', 'standings')
        and status = 'completed'

),

moment as (

    select * from {{ ref('int_as_of') }}

),

last_walks as (

    select
        walks.resource,
        walks.scope as wallet_address,
        walks.walk_id,
        walks.venue_time as read_at
    from walks
    cross join moment
    where walks.venue_time <= moment.as_of
    qualify
        row_number() over (
            partition by walks.resource, walks.scope
            order by walks.venue_time desc, walks.walk_id desc
        ) = 1

),

-- The venue counts fees nowhere. Realized is what left, at its average cost.
own_positions as (

    select
        *,
        cash_flow_usd + fees_usd as cash_without_fees_usd,
        bought_usd + split_usd + converted_in_usd as cost_usd,
        shares_bought + shares_split + shares_converted_in as shares_acquired,
        {{ prorate(
            '(bought_usd + split_usd + converted_in_usd)', 'shares_held',
            '(shares_bought + shares_split + shares_converted_in)',
        ) }} as cost_of_held_usd
    from positions

),

own_profits as (

    select
        *,
        cash_without_fees_usd + cost_of_held_usd as realized_usd,
        case when status = 'resolved' then resolved_pnl else realized_cash_pnl end as own_pnl,
        case
            when status = 'resolved' then cast(shares_held * payout as {{ money_type() }}) - cost_of_held_usd
            else 0
        end as unredeemed_usd
    from own_positions

),

-- What a position is worth depends on no way of averaging: cash, and what is held at the venue's own price.
compared as (

    select
        last_walks.wallet_address,
        last_walks.read_at,
        venue_positions.token_id,
        case
            when venue_positions.position_status = 'CLOSED' then venue_positions.realized_pnl
            else venue_positions.total_pnl
        end as their_pnl,
        coalesce(own.cash_without_fees_usd, 0)
        + cast(coalesce(own.shares_held, 0) * venue_positions.price as {{ money_type() }}) as own_pnl_without_fees,
        coalesce(own.fees_usd, 0) as fees_usd,
        abs(coalesce(own.shares_held, 0) - venue_positions.shares_held) > cast('0.001' as {{ money_type() }})
        or coalesce(own.shares_transferred, 0) > 0 as is_transferred
    from last_walks
    inner join venue_positions on last_walks.walk_id = venue_positions.walk_id
    left join own_profits as own
        on
            venue_positions.wallet_address = own.wallet_address
            and venue_positions.token_id = own.token_id
    where last_walks.resource = 'positions'

),

position_sums as (

    select
        wallet_address,
        read_at,
        'positions' as measure,
        count(*) as positions,
        sum(own_pnl_without_fees - fees_usd) as own_pnl,
        sum(their_pnl) as venue_pnl,
        -sum(fees_usd) as fees_usd,
        0 as income_usd,
        0 as unredeemed_usd,
        sum(case when is_transferred then own_pnl_without_fees - their_pnl else 0 end) as transfers_usd
    from compared
    group by wallet_address, read_at

),

own_sums as (

    select
        wallet_address,
        count(*) as positions,
        sum(own_pnl) as own_pnl,
        sum(own_pnl - realized_usd - unredeemed_usd) as fees_usd,
        sum(unredeemed_usd) as unredeemed_usd,
        max(last_trade_at) as last_trade_at,
        sum(case when is_conserved then 0 else 1 end) = 0 as is_conserved
    from own_profits
    group by wallet_address

),

entry_sums as (

    select
        entries.wallet_address,
        sum(case when entries.is_income then entries.usd_value else 0 end) as income_usd,
        max(entries.timestamp) as last_entry_at
    from entries
    cross join moment
    where entries.timestamp <= moment.as_of
    group by entries.wallet_address

),

standing_sums as (

    select
        last_walks.wallet_address,
        last_walks.read_at,
        'leaderboard' as measure,
        own_sums.positions,
        own_sums.own_pnl + coalesce(entry_sums.income_usd, 0) as own_pnl,
        venue_standings.realized_pnl as venue_pnl,
        own_sums.fees_usd,
        coalesce(entry_sums.income_usd, 0) as income_usd,
        own_sums.unredeemed_usd,
        0 as transfers_usd
    from last_walks
    inner join venue_standings on last_walks.walk_id = venue_standings.walk_id
    inner join own_sums on last_walks.wallet_address = own_sums.wallet_address
    left join entry_sums on last_walks.wallet_address = entry_sums.wallet_address
    where last_walks.resource = 'standings'

),

sums as (

    select * from position_sums
    union all
    select * from standing_sums

),

whole_histories as (

    select
        wallet_address,
        sum(case when is_complete then 0 else 1 end) = 0 as is_complete
    from coverage
    group by wallet_address

),

reconciliation as (

    select
        'polymarket' as venue,
        sums.wallet_address,
        sums.measure,
        sums.read_at,
        cast(sums.positions as int64) as positions,
        cast(sums.own_pnl as {{ money_type() }}) as own_pnl,
        cast(sums.venue_pnl as {{ money_type() }}) as venue_pnl,
        cast(sums.own_pnl - sums.venue_pnl as {{ money_type() }}) as difference_usd,
        cast(sums.fees_usd as {{ money_type() }}) as fees_usd,
        cast(sums.income_usd as {{ money_type() }}) as income_usd,
        cast(sums.unredeemed_usd as {{ money_type() }}) as unredeemed_usd,
        cast(sums.transfers_usd as {{ money_type() }}) as transfers_usd,
        cast(
            sums.own_pnl - sums.venue_pnl - sums.fees_usd - sums.income_usd - sums.unredeemed_usd - sums.transfers_usd
            as {{ money_type() }}
        ) as unexplained_usd,
        -- A ledger that breaks, ends later than the venue was asked, or is not whole cannot agree.
        coalesce(
            own_sums.is_conserved
            and whole_histories.is_complete
            and coalesce(own_sums.last_trade_at <= sums.read_at, true)
            and coalesce(entry_sums.last_entry_at <= sums.read_at, true),
            false
        ) as is_comparable
    from sums
    left join own_sums on sums.wallet_address = own_sums.wallet_address
    left join entry_sums on sums.wallet_address = entry_sums.wallet_address
    left join whole_histories on sums.wallet_address = whole_histories.wallet_address

)

select * from reconciliation
