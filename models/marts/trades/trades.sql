{{
    config(
        materialized='incremental',
        unique_key='id',
        incremental_strategy='merge',
        on_schema_change='fail',
        partition_by=day_partition('timestamp', 'month'),
        cluster_by=cluster_by(['id']),
        post_hook="{{ remember_loads('int_source_entries') }}",
    )
}}

-- Only increments read these:
-- depends_on: {{ ref('stg_polymarket__trades') }}, {{ ref('stg_polymarket__activity') }}, {{ ref('stg_dome__orders') }}
-- depends_on: {{ ref('int_loads') }}, {{ ref('int_processed_loads') }}

with source_entries as (

    select * from {{ ref('int_source_entries') }}
    where is_fill

),

exchange_contracts as (

    select * from {{ ref('exchange_contracts') }}

),

outcomes as (

    select * from {{ ref('int_market_outcomes') }}

),

{% if is_incremental() -%}
new_loads as (

    {{ new_loads('int_source_entries') }}

),

-- Everything that the new loads say anything about: a new fill, a better source of known ones, a fee.
touched_groups as (

    select trades.group_key
    from {{ ref('stg_polymarket__trades') }} as trades
    inner join new_loads
        on
            trades.load_id = new_loads.load_id
            and new_loads.venue = 'polymarket'
    union distinct
    select activity.group_key
    from {{ ref('stg_polymarket__activity') }} as activity
    inner join new_loads
        on
            activity.load_id = new_loads.load_id
            and new_loads.venue = 'polymarket'
    where activity.entry_type = 'TRADE'
    union distinct
    select orders.group_key
    from {{ ref('stg_dome__orders') }} as orders
    inner join new_loads
        on
            orders.load_id = new_loads.load_id
            and new_loads.venue = 'dome'

),

-- Fills whose market was not known, or was known by other names, when they were written.
renamed_groups as (

    select distinct {{ fill_key(['trades.transaction_hash', 'trades.wallet_address', 'trades.token_id', 'trades.side']) }}
        as group_key
    from {{ this }} as trades
    inner join outcomes on trades.token_id = outcomes.contract_id
    where
        trades.outcome is distinct from outcomes.outcome
        or trades.event_slug is distinct from outcomes.event_slug
        or trades.market_id is null
        or (
            trades.fee_source is distinct from 'ledger'
            and trades.fee_usd is distinct from {{ schedule_fee(
                'trades.is_taker', 'trades.price', 'trades.shares', 'trades.timestamp',
                'outcomes.fee_rate', 'outcomes.fee_exponent', 'outcomes.has_fees',
            ) }}
        )

),

due_groups as (

    select group_key from touched_groups
    union distinct
    select group_key from renamed_groups

),

entries as (

    select source_entries.*
    from source_entries
    inner join due_groups on source_entries.group_key = due_groups.group_key

),
{%- else -%}
entries as (

    select * from source_entries

),
{%- endif %}

-- A group is what one wallet bought or sold of one token in one transaction. Its fills have no names that all sources
-- share, so they are counted off in an order that every source gives.
numbered as (

    select
        *,
        case source
            when 'polymarket_trades' then 1
            when 'dome_orders' then 2
            when 'dome_orders_unindexed' then 3
            else 4
        end as source_rank,
        count(*) over (partition by group_key, source) as fills_in_source,
        row_number() over (
            partition by group_key, source
            order by shares, price, log_index nulls last, entry_id
        ) as ordinal,
        row_number() over (
            partition by group_key, source, shares
            order by price, log_index nulls last, entry_id
        ) as ordinal_of_size
    from entries

),

-- The fee of a fill is told by the ledger row of the same size, whichever source the fill itself is taken from.
matched as (

    select
        *,
        max(case when source = 'polymarket_activity' then fee_usd end) over (
            partition by group_key, shares, ordinal_of_size
        ) as ledger_fee_usd,
        min(first_loaded_at) over (partition by group_key, ordinal) as first_loaded_at_in_group,
        first_value(source) over (partition by group_key order by fills_in_source desc, source_rank) as winner
    from numbered

),

-- One source tells all fills of a group: the one that knows most of them. Mixing sources would count fills twice.
won as (

    select
        matched.*,
        -- The exchange itself stands as taker in the row of the taker's own order.
        case when matched.taker is not null then exchange_contracts.address is not null end as is_taker
    from matched
    left join exchange_contracts on matched.taker = exchange_contracts.address
    where matched.source = matched.winner

),

named as (

    select
        won.*,
        outcomes.market_id,
        outcomes.event_slug,
        outcomes.outcome,
        outcomes.fee_rate,
        outcomes.fee_exponent,
        outcomes.has_fees
    from won
    left join outcomes on won.token_id = outcomes.contract_id

),

fills as (

    select
        *,
        {{ md5_hex(
            "transaction_hash || '|' || wallet_address || '|' || token_id || '|' || side || '|' || cast(ordinal as string)"
        ) }} as id,
        {{ schedule_fee('is_taker', 'price', 'shares', 'traded_at', 'fee_rate', 'fee_exponent', 'has_fees') }}
            as schedule_fee_usd
    from named

),

final as (

    select
        id,
        'polymarket' as venue,
        case source when 'dome_orders_unindexed' then 'dome_orders' else source end as source,
        wallet_address,
        coalesce(condition_id, market_id) as condition_id,
        coalesce(market_id, condition_id) as market_id,
        event_slug,
        token_id,
        outcome,
        side,
        transaction_hash,
        order_hash,
        case
            when ledger_fee_usd is not null then 'ledger'
            when schedule_fee_usd is not null then 'schedule'
        end as fee_source,
        log_index,
        price,
        shares,
        usd_value,
        cast(coalesce(ledger_fee_usd, schedule_fee_usd) as numeric(38, 9)) as fee_usd,
        is_taker,
        traded_at as timestamp,
        first_loaded_at_in_group as first_loaded_at
    from fills

)

select * from final
