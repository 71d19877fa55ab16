{{ config(materialized='view') }}

with wallets as (

    select * from {{ ref('int_wallet_sync') }}

),

wallet_trades as (

    select * from {{ ref('int_wallet_trades') }}

),

metadata as (

    select
        wallets.venue,
        wallets.wallet_address,
        wallets.sync_status,
        wallets.last_error,
        cast(wallets.error_count as int64) as error_count,
        coalesce(wallet_trades.trades, 0) as total_trades_synced,
        cast(wallets.sync_duration_ms as int64) as sync_duration_ms,
        wallets.trades_watermark_at,
        wallets.activity_watermark_at,
        wallet_trades.last_trade_at as last_trade_timestamp,
        wallets.last_synced_at,
        wallets.updated_at
    from wallets
    left join wallet_trades
        on
            wallets.venue = wallet_trades.venue
            and wallets.wallet_address = wallet_trades.wallet_address

)

select * from metadata
