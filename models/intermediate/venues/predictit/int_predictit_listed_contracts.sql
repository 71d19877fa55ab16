{{
    config(
        materialized='incremental',
        unique_key='contract_number',
        incremental_strategy='merge',
        on_schema_change='fail',
        cluster_by=clustering(['contract_number']),
        post_hook="{{ remember_loads() }}",
    )
}}

with {{ new_readings(ref('stg_predictit__contracts'), 'predictit', 'contract_number') }},

parsed as (

    select
        *,
        {{ json_fields('payload', ['name', 'displayOrder']) }} as thing
    from new_rows

),

renamed as (

    select
        parsed.contract_number,
        parsed.market_number,
        parsed.thing.name,
        {{ read_integer('parsed.thing.displayorder') }} as display_order,
        parsed.bid,
        parsed.ask,
        parsed.last_price,
        parsed.ends_at,
        parsed.venue_time,

        parsed.first_loaded_at,
        parsed.fetched_at,
        parsed.walk_id,
        parsed.walk_position
    from parsed

),

{{ newest_reading('contract_number', [
    'market_number', 'name', 'display_order', 'bid', 'ask', 'last_price', 'ends_at', 'venue_time',
]) }}
