{{ config(materialized='view') }}

-- One row per venue and wallet: where its walks have got to. A view, so that it is right between two builds.
with walks as (

    select * from {{ ref('int_wallet_walks') }}

),

coverage as (

    select * from {{ ref('int_wallet_coverage') }}

),

leaderboard as (

    select distinct wallet_address
    from {{ ref('stg_polymarket__leaderboard') }}

),

known_wallets as (

    select
        venue,
        wallet_address
    from walks
    union distinct
    select
        'polymarket' as venue,
        wallet_address
    from leaderboard

),

numbered as (

    select
        *,
        row_number() over (
            partition by venue, wallet_address, resource
            order by ended_at desc, walk_id
        ) as age,
        max(case when status = 'completed' then ended_at end) over (
            partition by venue, wallet_address, resource
        ) as last_completed_at
    from walks

),

progress as (

    select
        venue,
        wallet_address,
        sum(case when age = 1 and status = 'failed' then 1 else 0 end) as failed_resources,
        max(case when age = 1 and status = 'failed' then error end) as last_error,
        -- Failures since the last success.
        sum(case when status = 'failed' and ended_at > coalesce(last_completed_at, started_at) then 1 else 0 end)
            as error_count,
        sum(case when age = 1 then duration_ms else 0 end) as sync_duration_ms,
        max(case when status = 'completed' then ended_at end) as last_synced_at,
        max(ended_at) as updated_at
    from numbered
    group by venue, wallet_address

),

watermarks as (

    select
        venue,
        wallet_address,
        max(case when resource = 'trades' then watermark_at end) as trades_watermark_at,
        max(case when resource = 'activity' then watermark_at end) as activity_watermark_at,
        max(case when resource = 'trades' then newest_item_at end) as trades_newest_at,
        max(case when resource = 'activity' then newest_item_at end) as activity_newest_at
    from coverage
    group by venue, wallet_address

),

synced as (

    select
        known_wallets.venue,
        known_wallets.wallet_address,
        case
            when progress.wallet_address is null then 'pending'
            when progress.failed_resources > 0 then 'failed'
            when watermarks.trades_watermark_at is null or watermarks.activity_watermark_at is null then 'syncing'
            else 'completed'
        end as sync_status,
        progress.last_error,
        coalesce(progress.error_count, 0) as error_count,
        progress.sync_duration_ms,
        watermarks.trades_watermark_at,
        watermarks.activity_watermark_at,
        watermarks.trades_newest_at,
        watermarks.activity_newest_at,
        progress.last_synced_at,
        progress.updated_at
    from known_wallets
    left join progress
        on
            known_wallets.venue = progress.venue
            and known_wallets.wallet_address = progress.wallet_address
    left join watermarks
        on
            known_wallets.venue = watermarks.venue
            and known_wallets.wallet_address = watermarks.wallet_address

)

select * from synced
