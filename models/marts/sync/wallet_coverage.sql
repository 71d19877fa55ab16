{{ config(materialized='view') }}

with wallets as (

    select * from {{ ref('int_wallet_sync') }}

),

walks as (

    select * from {{ ref('int_wallet_walks') }}

),

processed_loads as (

    select * from {{ ref('int_processed_loads') }}
    where model = 'int_wallet_spans'

),

exchange_contracts as (

    select * from {{ ref('exchange_contracts') }}

),

-- Failed walks count: what the venue had when one was answered should have been fetched by then.
asked as (

    select
        walks.venue,
        walks.wallet_address,
        max(case when walks.resource = 'trades' then walks.covered_to end) as trades_asked_to,
        max(case when walks.resource = 'activity' then walks.covered_to end) as activity_asked_to
    from walks
    inner join processed_loads
        on
            walks.venue = processed_loads.venue
            and walks.load_id = processed_loads.load_id
    group by walks.venue, walks.wallet_address

),

coverage as (

    select
        wallets.venue,
        wallets.wallet_address,
        wallets.sync_status,
        -- Of what was read since the last build nothing can be here yet.
        coalesce(
            asked.trades_asked_to,
            case when wallets.sync_status in ('completed', 'syncing') then {{ epoch_timestamp("'0'") }} end
        ) as trades_asked_to,
        coalesce(
            asked.activity_asked_to,
            case when wallets.sync_status in ('completed', 'syncing') then {{ epoch_timestamp("'0'") }} end
        ) as activity_asked_to
    from wallets
    left join asked
        on
            wallets.venue = asked.venue
            and wallets.wallet_address = asked.wallet_address
    left join exchange_contracts on wallets.wallet_address = exchange_contracts.address
    where exchange_contracts.address is null

)

select * from coverage
