{{ config(materialized='view') }}

with wallets as (

    select * from {{ ref('int_wallet_sync') }}

),

exchange_contracts as (

    select * from {{ ref('exchange_contracts') }}

),

moment as (

    select * from {{ ref('int_as_of') }}

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
        case
            when wallets.sync_status = 'completed'
                then
                    {{ timestamp_plus_minutes(
                        'least(wallets.trades_watermark_at, wallets.activity_watermark_at)',
                        var('wallets_every_hours') * 60
                    ) }}
        end as due_at,
        coalesce(
            wallets.trades_newest_at > {{ timestamp_minus_days('moment.as_of', var('active_within_days')) }}, false
        ) as is_active,
        wallets.trades_watermark_at,
        wallets.activity_watermark_at,
        wallets.trades_newest_at,
        wallets.activity_newest_at,
        wallets.last_synced_at
    from wallets
    left join exchange_contracts on wallets.wallet_address = exchange_contracts.address
    cross join moment
    where exchange_contracts.address is null

)

select * from ordered
