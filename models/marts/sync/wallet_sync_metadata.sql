{{ config(cluster_by=cluster_by(['wallet_address'])) }}

with wallets as (

    select * from {{ ref('int_wallet_sync') }}

),

trades as (

    select * from {{ ref('trades') }}

),

traded as (

    select
        case when source = 'dome_orders' then 'dome' else 'polymarket' end as venue,
        wallet_address,
        count(*) as total_trades_synced,
        max(timestamp) as last_trade_timestamp
    from trades
    group by 1, 2

),

metadata as (

    select
        wallets.venue,
        wallets.wallet_address,
        wallets.sync_status,
        wallets.last_error,
        cast(wallets.error_count as int64) as error_count,
        coalesce(traded.total_trades_synced, 0) as total_trades_synced,
        cast(wallets.sync_duration_ms as int64) as sync_duration_ms,
        wallets.trades_watermark_at,
        wallets.activity_watermark_at,
        traded.last_trade_timestamp,
        wallets.last_synced_at,
        wallets.updated_at
    from wallets
    left join traded
        on
            wallets.venue = traded.venue
            and wallets.wallet_address = traded.wallet_address

)

select * from metadata
