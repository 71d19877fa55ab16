{{ config(materialized='view') }}

with wallets as (

    select * from {{ ref('int_wallet_sync') }}

),

wallet_trades as (

    select * from {{ ref('int_wallet_trades') }}

),

-- A watermark stands only in a committed load, beside the rows that it vouches for: nothing is complete that is not
-- in the warehouse.
checkpoints as (

    select
        wallets.venue,
        wallets.wallet_address,
        cast(coalesce(wallet_trades.trades, 0) as int64) as trade_count,
        wallets.trades_watermark_at is not null and wallets.activity_watermark_at is not null as upload_successful,
        wallets.updated_at is not null as completed,
        wallets.updated_at as processed_at
    from wallets
    left join wallet_trades
        on
            wallets.venue = wallet_trades.venue
            and wallets.wallet_address = wallet_trades.wallet_address

)

select * from checkpoints
