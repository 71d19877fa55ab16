{{ config(materialized='view') }}

with wallets as (

    select * from {{ ref('int_wallet_sync') }}

),

exchange_contracts as (

    select * from {{ ref('exchange_contracts') }}

),

ordered as (

    select
        wallets.venue,
        wallets.wallet_address,
        wallets.sync_status,
        wallets.last_error,
        -- What was never read comes first, then what failed, then whoever has waited longest.
        cast(
            row_number() over (
                partition by wallets.venue
                order by
                    case wallets.sync_status
                        when 'pending' then 1
                        when 'syncing' then 2
                        when 'failed' then 3
                        else 4
                    end,
                    wallets.trades_watermark_at nulls first,
                    wallets.wallet_address
            ) as int64
        ) as sync_order,
        wallets.trades_watermark_at,
        wallets.activity_watermark_at,
        wallets.trades_newest_at,
        wallets.activity_newest_at,
        wallets.last_synced_at
    from wallets
    left join exchange_contracts on wallets.wallet_address = exchange_contracts.address
    where exchange_contracts.address is null

)

select * from ordered
