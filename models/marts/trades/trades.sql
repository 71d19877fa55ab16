{{
    config(
        materialized='incremental',
        unique_key='id',
        incremental_strategy='merge',
        on_schema_change='fail',
        partition_by=day_partition('timestamp', 'month'),
        cluster_by=clustering(['wallet_address', 'condition_id']),
        post_hook=["{{ remember_loads('int_source_entries') }}", "{{ remember_names() }}"],
    )
}}

-- Only increments read these:
-- depends_on: {{ ref('stg_polymarket__trades') }}, {{ ref('stg_polymarket__activity') }}, {{ ref('stg_dome__orders') }}
-- depends_on: {{ ref('int_loads') }}, {{ ref('int_processed_loads') }}

{# Fills of a group have one time. Which months hold the fills of renamed outcomes only the table itself can say. -#}
{%- set day = first_fetch('int_source_entries') -%}
{%- set new_months, renamed_months, venue_months = none, none, none -%}
{%- if reads_by_partition() -%}
    {%- set new_months = time_stretches(new_times('int_source_entries', day), 'month') -%}
    {%- set renamed_times -%}
        select
            trades.timestamp as first_at,
            trades.timestamp as last_at
        from {{ this }} as trades
        inner join ({{ new_names() }}) as new_names on trades.token_id = new_names.contract_id
    {%- endset -%}
    {%- set renamed_months = time_stretches(renamed_times, 'month') -%}
    {%- set venue_times = new_venue_times(ref('int_venue_trades'), 'traded_at', 'int_source_entries', day) -%}
    {%- set venue_months = time_stretches(venue_times, 'month') -%}
{%- endif %}

with source_entries as (

    select * from {{ ref('int_source_entries') }}
    where
        is_fill
        and ({{ in_stretches('traded_at', new_months) }} or {{ in_stretches('traded_at', renamed_months) }})

),

exchange_contracts as (

    select * from {{ ref('exchange_contracts') }}

),

outcomes as (

    select * from {{ ref('int_outcome_names') }}

),

new_loads as (

    {{ new_loads('int_source_entries') }}

),

{% if is_incremental() -%}
touched_groups as (

    {{ new_fills(['group_key'], day) }}

),

new_names as (

    {{ new_names() }}

),

-- Fills whose market was not known, or was known by other names or fees, when they were written.
renamed_groups as (

    select distinct {{ fill_key(['trades.transaction_hash', 'trades.wallet_address', 'trades.token_id', 'trades.side']) }}
        as group_key
    from {{ this }} as trades
    inner join new_names on trades.token_id = new_names.contract_id
    where
        {{ in_stretches('trades.timestamp', renamed_months) }}
        and (
            trades.outcome is distinct from new_names.outcome
            or trades.event_slug is distinct from new_names.event_slug
            or trades.market_id is distinct from new_names.market_id
            or (
                trades.fee_source is distinct from 'ledger'
                and trades.fee_usd is distinct from {{ schedule_fee(
                    'trades.is_taker', 'trades.price', 'trades.shares', 'trades.timestamp',
                    'new_names.fee_rate', 'new_names.fee_exponent', 'new_names.has_fees',
                ) }}
            )
        )

),

due_groups as (

    select group_key from touched_groups
    union distinct
    select group_key from renamed_groups

),

{% endif -%}

entries as (

    select source_entries.*
    from source_entries
    {% if is_incremental() -%}
    inner join due_groups on source_entries.group_key = due_groups.group_key
    {%- endif %}

),

-- A group is what one wallet bought or sold of one token in one transaction. One source tells all fills of a group: the
-- one that knows most of them, for mixing sources would count fills twice. The fee and the first load any may tell.
ranked as (

    select
        *,
        case source
            when 'polymarket_trades' then 1
            when 'dome_orders' then 2
            when 'dome_orders_unindexed' then 3
            else 4
        end as source_rank
    from entries

),

-- Nearly every group is one fill, of one size in all sources. Windows are for the others only.
fill_groups as (

    select
        group_key,
        min(source_rank) as winner_rank,
        max(fee_usd) as ledger_fee_usd,
        min(first_loaded_at) as first_loaded_at,
        sum(case when source_rank = 1 then 1 else 0 end) <= 1
        and sum(case when source_rank = 2 then 1 else 0 end) <= 1
        and sum(case when source_rank = 3 then 1 else 0 end) <= 1
        and sum(case when source_rank = 4 then 1 else 0 end) <= 1
        and min(shares) = max(shares) as is_one_fill
    from ranked
    group by group_key

),

single_fills as (

    select
        ranked.source,
        ranked.transaction_hash,
        ranked.wallet_address,
        ranked.token_id,
        ranked.condition_id,
        ranked.order_hash,
        ranked.taker,
        ranked.side,
        ranked.log_index,
        ranked.price,
        ranked.shares,
        ranked.usd_value,
        ranked.traded_at,
        1 as ordinal,
        fill_groups.ledger_fee_usd,
        fill_groups.first_loaded_at
    from ranked
    inner join fill_groups
        on
            ranked.group_key = fill_groups.group_key
            and ranked.source_rank = fill_groups.winner_rank
    where fill_groups.is_one_fill

),

-- Fills of a group have no names that all sources share, so they are counted off in an order that every source gives.
numbered as (

    select
        ranked.*,
        count(*) over (partition by ranked.group_key, ranked.source_rank) as fills_in_source,
        row_number() over (
            partition by ranked.group_key, ranked.source_rank
            order by ranked.shares, ranked.price, ranked.log_index nulls last, ranked.entry_key, ranked.occurrence
        ) as ordinal,
        row_number() over (
            partition by ranked.group_key, ranked.source_rank, ranked.shares
            order by ranked.price, ranked.log_index nulls last, ranked.entry_key, ranked.occurrence
        ) as ordinal_of_size
    from ranked
    inner join fill_groups on ranked.group_key = fill_groups.group_key
    where not fill_groups.is_one_fill

),

-- The fee of a fill is told by the ledger row of the same size.
matched as (

    select
        *,
        max(fee_usd) over (partition by group_key, shares, ordinal_of_size) as ledger_fee_usd,
        min(first_loaded_at) over (partition by group_key, ordinal) as first_loaded_at_in_group,
        first_value(source_rank) over (
            partition by group_key
            order by fills_in_source desc, source_rank asc
        ) as winner_rank
    from numbered

),

other_fills as (

    select
        matched.source,
        matched.transaction_hash,
        matched.wallet_address,
        matched.token_id,
        matched.condition_id,
        matched.order_hash,
        matched.taker,
        matched.side,
        matched.log_index,
        matched.price,
        matched.shares,
        matched.usd_value,
        matched.traded_at,
        matched.ordinal,
        matched.ledger_fee_usd,
        matched.first_loaded_at_in_group as first_loaded_at
    from matched
    where matched.source_rank = matched.winner_rank

),

all_fills as (

    select * from single_fills
    union all
    select * from other_fills

),

named as (

    select
        all_fills.*,
        outcomes.market_id,
        outcomes.event_slug,
        outcomes.outcome,
        -- The exchange itself stands as taker in the row of the taker's own order.
        case when all_fills.taker is not null then exchange_contracts.address is not null end as is_taker,
        outcomes.fee_rate,
        outcomes.fee_exponent,
        outcomes.has_fees
    from all_fills
    left join outcomes on all_fills.token_id = outcomes.contract_id
    left join exchange_contracts on all_fills.taker = exchange_contracts.address

),

fills as (

    select
        *,
        {{ md5_hex(
            "concat(transaction_hash, '|', wallet_address, '|', token_id, '|', side, '|', cast(ordinal as string))"
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
        cast(coalesce(ledger_fee_usd, schedule_fee_usd) as {{ money_type() }}) as fee_usd,
        is_taker,
        traded_at as timestamp,
        first_loaded_at
    from fills

),

-- Venues that hide wallets tell each match once, under a name that never changes, seen from its taker's side. What is
-- there already stays, with the load that first brought it.
venue_rows as (

    select
        trades.*,
        min(new_loads.committed_at) over (partition by trades.venue, trades.trade_id) as first_loaded_at
    from {{ ref('int_venue_trades') }} as trades
    inner join new_loads
        on
            trades.load_id = new_loads.load_id
            and trades.venue = new_loads.venue
    where {{ fetched_since('trades.fetched_at', day) }}
    qualify
        row_number() over (
            partition by trades.venue, trades.trade_id
            order by trades.fetched_at, trades.walk_id, trades.walk_position
        ) = 1

),

venue_trades as (

    select
        *,
        {{ md5_hex("concat(venue, '|', trade_id)") }} as id
    from venue_rows

),

new_venue_trades as (

    select
        venue_trades.id,
        venue_trades.venue,
        venue_trades.source,
        cast(null as string) as wallet_address,
        cast(null as string) as condition_id,
        venue_trades.market_id,
        venue_trades.event_slug,
        venue_trades.contract_id as token_id,
        venue_trades.outcome,
        venue_trades.side,
        venue_trades.trade_id as transaction_hash,
        cast(null as string) as order_hash,
        cast(null as string) as fee_source,
        cast(null as int64) as log_index,
        venue_trades.price,
        venue_trades.shares,
        venue_trades.usd_value,
        cast(null as {{ money_type() }}) as fee_usd,
        true as is_taker,
        venue_trades.traded_at as timestamp,
        venue_trades.first_loaded_at
    from venue_trades
    {%- if is_incremental() %}
    left join {{ this }} as known
        on
            venue_trades.id = known.id
            and {{ in_stretches('known.timestamp', venue_months) }}
    where known.id is null
    {%- endif %}

),

all_trades as (

    select * from final
    union all
    select * from new_venue_trades

)

select * from all_trades
