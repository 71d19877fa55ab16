{{ config(cluster_by=clustering(['wallet_address'])) }}

with wallet_trades as (

    select * from {{ ref('int_wallet_trades') }}

),

wallet_sync as (

    select * from {{ ref('int_wallet_sync') }}
    where first_started_at is not null

),

sources as (

    select * from {{ ref('int_wallet_sources') }}

),

exchange_contracts as (

    select * from {{ ref('exchange_contracts') }}

),

-- Where a wallet was first heard of; of several at once, the one that comes first in this list.
sightings as (

    select
        wallet_address,
        source as discovered_from,
        case source
            when 'leaderboard' then 1
            when 'category_leaderboard' then 2
            when 'supabase' then 3
            else 4
        end as discovery_rank,
        min(first_seen_at) as first_seen_at
    from sources
    group by wallet_address, source
    union all
    select
        wallet_address,
        'request' as discovered_from,
        5 as discovery_rank,
        min(first_started_at) as first_seen_at
    from wallet_sync
    group by wallet_address
    union all
    select
        wallet_address,
        'trade' as discovered_from,
        6 as discovery_rank,
        min(first_loaded_at) as first_seen_at
    from wallet_trades
    group by wallet_address

),

discovered as (

    select
        sightings.wallet_address,
        sightings.discovered_from,
        min(sightings.first_seen_at) over (partition by sightings.wallet_address) as first_seen_at
    from sightings
    -- Not the first of all sightings, which bears the same name: BigQuery would order by that.
    qualify
        row_number() over (
            partition by sightings.wallet_address
            order by sightings.first_seen_at, sightings.discovery_rank
        ) = 1

),

traded as (

    select
        wallet_address,
        sum(trades) as trades,
        sum(volume_usd) as volume_usd,
        min(first_trade_at) as first_trade_at,
        max(last_trade_at) as last_trade_at
    from wallet_trades
    group by wallet_address

),

described as (

    select
        discovered.wallet_address,
        discovered.discovered_from,
        cast(coalesce(traded.trades, 0) as int64) as trades,
        cast(coalesce(traded.volume_usd, 0) as {{ money_type() }}) as volume_usd,
        exchange_contracts.address is not null as is_contract,
        discovered.first_seen_at,
        traded.first_trade_at,
        traded.last_trade_at
    from discovered
    left join traded on discovered.wallet_address = traded.wallet_address
    left join exchange_contracts on discovered.wallet_address = exchange_contracts.address

)

select * from described
