{{
    config(
        materialized='incremental',
        unique_key=['contract_id', 'snapshot_time', 'fidelity'],
        incremental_strategy='merge',
        on_schema_change='fail',
        partition_by=day_partition('snapshot_time', 'month'),
        cluster_by=clustering(['market_id', 'contract_id']),
        post_hook="{{ remember_loads() }}",
    )
}}

{%- set day = first_fetch() -%}
{%- set months = time_stretches(new_venue_times(ref('int_venue_prices'), 'snapshot_time', none, day), 'month')
    if reads_by_partition() else none %}

-- Every row is what a venue said: of now when we looked, or of a moment in the past that it gives itself. A moment
-- about which no venue said anything has no row.
with new_loads as (

    {{ new_loads() }}

),

new_rows as (

    select
        prices.*,
        new_loads.committed_at
    from {{ ref('int_venue_prices') }} as prices
    inner join new_loads
        on
            prices.load_id = new_loads.load_id
            and prices.venue = new_loads.venue
    where {{ fetched_since('prices.fetched_at', day) }}

),

-- The candle of an hour that was still going on is read again when it is over; the row read last counts.
newest_rows as (

    select
        *,
        min(committed_at) over (partition by contract_id, snapshot_time, fidelity) as first_loaded_at
    from new_rows
    qualify
        row_number() over (
            partition by contract_id, snapshot_time, fidelity
            order by fetched_at desc, walk_id desc, walk_position desc
        ) = 1

),

priced as (

    select
        *,
        {{ mid_price('bid', 'ask') }} as mid_price
    from newest_rows

),

snapshots as (

    select
        priced.venue,
        priced.source,
        priced.market_id,
        priced.contract_id,
        priced.snapshot_time,
        priced.venue_time,
        priced.fidelity,
        coalesce(priced.mid_price, priced.last_price) as yes_price,
        cast(1 - coalesce(priced.mid_price, priced.last_price) as {{ money_type() }}) as no_price,
        priced.bid,
        priced.ask,
        priced.mid_price,
        priced.last_price,
        priced.volume,
        priced.period_volume,
        priced.volume_unit,
        priced.market_status,
        priced.fetched_at,
        priced.first_loaded_at
    from priced
    {%- if is_incremental() %}
    left join {{ this }} as known
        on
            priced.contract_id = known.contract_id
            and priced.snapshot_time = known.snapshot_time
            and priced.fidelity = known.fidelity
            and {{ in_stretches('known.snapshot_time', months) }}
    where known.fetched_at is null or known.fetched_at <= priced.fetched_at
    {%- endif %}

)

select * from snapshots
