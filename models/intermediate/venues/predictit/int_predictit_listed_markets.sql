{{
    config(
        materialized='incremental',
        unique_key='market_number',
        incremental_strategy='merge',
        on_schema_change='fail',
        cluster_by=clustering(['market_number']),
        post_hook="{{ remember_loads() }}",
    )
}}

with {{ new_readings(ref('stg_predictit__markets'), 'predictit', 'market_number') }},

parsed as (

    select
        *,
        {{ json_fields('payload', ['name']) }} as thing
    from new_rows

),

renamed as (

    select
        parsed.market_number,
        parsed.thing.name as title,
        parsed.status,
        parsed.venue_time,

        parsed.first_loaded_at,
        parsed.fetched_at,
        parsed.walk_id,
        parsed.walk_position
    from parsed

),

{{ newest_reading('market_number', [
    'title', 'status', 'venue_time',
]) }}
