{{ config(materialized='view') }}

with metadata as (

    select * from {{ ref('wallet_sync_metadata') }}

),

progress as (

    select
        venue,
        sync_status,
        count(*) as wallets,
        cast(sum(total_trades_synced) as int64) as total_trades_synced,
        cast(sum(error_count) as int64) as error_count,
        min(last_synced_at) as oldest_sync_at,
        max(last_synced_at) as newest_sync_at
    from metadata
    group by venue, sync_status

)

select * from progress
