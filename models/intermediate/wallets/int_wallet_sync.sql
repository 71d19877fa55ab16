{{ config(materialized='view') }}

-- One row per venue and wallet: where its walks have got to. A view, so that it is right between two builds.
with coverage as (

    select * from {{ ref('int_wallet_coverage') }}

),

failed_walks as (

    select * from {{ ref('int_wallet_walks') }}
    where status = 'failed'

),

sources as (

    select * from {{ ref('int_wallet_sources') }}

),

traders as (

    select * from {{ ref('int_wallet_trades') }}

),

-- What failed before the last success is mended.
failures as (

    select
        failed_walks.venue,
        failed_walks.wallet_address,
        count(distinct failed_walks.walk_id) as error_count,
        max_by(failed_walks.error, failed_walks.ended_at) as last_error,
        max(failed_walks.ended_at) as last_failed_at,
        min(failed_walks.started_at) as first_started_at
    from failed_walks
    left join coverage
        on
            failed_walks.venue = coverage.venue
            and failed_walks.wallet_address = coverage.wallet_address
            and failed_walks.resource = coverage.resource
    where
        coverage.last_completed_at is null
        or failed_walks.ended_at > coverage.last_completed_at
    group by failed_walks.venue, failed_walks.wallet_address

),

watermarks as (

    select
        venue,
        wallet_address,
        max(case when resource = 'trades' then watermark_at end) as trades_watermark_at,
        max(case when resource = 'activity' then watermark_at end) as activity_watermark_at,
        max(case when resource = 'trades' then newest_item_at end) as trades_newest_at,
        max(case when resource = 'activity' then newest_item_at end) as activity_newest_at,
        min(first_started_at) as first_started_at,
        max(last_completed_at) as last_synced_at,
        sum(last_duration_ms) as sync_duration_ms
    from coverage
    group by venue, wallet_address

),

known_wallets as (

    select
        venue,
        wallet_address
    from watermarks
    union distinct
    select
        venue,
        wallet_address
    from failures
    union distinct
    select
        venue,
        wallet_address
    from sources
    {% if var('follow_traders') -%}
    union distinct
    select
        venue,
        wallet_address
    from traders
    where wallet_address is not null
    {%- endif %}

),

synced as (

    select
        known_wallets.venue,
        known_wallets.wallet_address,
        case
            when failures.error_count > 0 then 'failed'
            when watermarks.wallet_address is null then 'pending'
            when watermarks.trades_watermark_at is null or watermarks.activity_watermark_at is null then 'syncing'
            else 'completed'
        end as sync_status,
        failures.last_error,
        coalesce(failures.error_count, 0) as error_count,
        watermarks.sync_duration_ms,
        watermarks.trades_watermark_at,
        watermarks.activity_watermark_at,
        watermarks.trades_newest_at,
        watermarks.activity_newest_at,
        coalesce(
            least(watermarks.first_started_at, failures.first_started_at),
            watermarks.first_started_at,
            failures.first_started_at
        ) as first_started_at,
        watermarks.last_synced_at,
        coalesce(
            greatest(watermarks.last_synced_at, failures.last_failed_at),
            watermarks.last_synced_at,
            failures.last_failed_at
        ) as updated_at
    from known_wallets
    left join watermarks
        on
            known_wallets.venue = watermarks.venue
            and known_wallets.wallet_address = watermarks.wallet_address
    left join failures
        on
            known_wallets.venue = failures.venue
            and known_wallets.wallet_address = failures.wallet_address

)

select * from synced
