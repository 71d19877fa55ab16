{{ config(materialized='view') }}

with progress as (

    select * from {{ ref('wallet_sync_progress') }}

),

-- What was never read is work to do, and what failed is watched as such.
gaps as (

    select * from {{ ref('coverage_gaps') }}
    where
        is_fillable
        and kind in ('hole', 'unknown_market', 'stale_market')

),

category_coverage as (

    select * from {{ ref('category_coverage') }}

),

reconciliation as (

    select * from {{ ref('pnl_reconciliation') }}
    where
        is_comparable
        and measure = 'positions'

),

failed_wallets as (

    select
        'failed_wallets' as alert,
        'share of the wallets whose last walk failed' as meaning,
        cast(sum(case when sync_status = 'failed' then wallets else 0 end) as {{ double_type() }})
        / nullif(sum(wallets), 0) as measured,
        cast({{ var('alert_failed_wallet_share') }} as {{ double_type() }}) as allowed
    from progress

),

counted_gaps as (

    select
        'gaps' as alert,
        'gaps in what was read, and markets unknown or stale' as meaning,
        cast(count(*) as {{ double_type() }}) as measured,
        cast({{ var('alert_gaps') }} as {{ double_type() }}) as allowed
    from gaps

),

unmatched_trades as (

    select
        'unmatched_trades' as alert,
        'share of the trades whose market is not known' as meaning,
        cast(sum(trades - trades_with_market) as {{ double_type() }}) / nullif(sum(trades), 0) as measured,
        cast({{ var('alert_unmatched_trades_share') }} as {{ double_type() }}) as allowed
    from category_coverage

),

reconciliation_breaks as (

    select
        'reconciliation' as alert,
        'share of the profit by the venue that nothing explains' as meaning,
        cast(sum(abs(unexplained_usd)) as {{ double_type() }})
        / nullif(cast(sum(abs(venue_pnl)) as {{ double_type() }}), 0) as measured,
        cast({{ var('reconciliation_max_unexplained_share') }} as {{ double_type() }}) as allowed
    from reconciliation

),

watched as (

    select * from failed_wallets
    union all
    select * from counted_gaps
    union all
    select * from unmatched_trades
    union all
    select * from reconciliation_breaks

),

raised as (

    select
        alert,
        meaning,
        measured,
        allowed,
        coalesce(measured > allowed, false) as is_raised
    from watched

)

select * from raised
