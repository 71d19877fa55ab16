{{
    config(
        materialized='incremental',
        unique_key='event_ticker',
        incremental_strategy='merge',
        on_schema_change='fail',
        cluster_by=clustering(['event_ticker']),
        post_hook="{{ remember_loads() }}",
    )
}}

with {{ new_readings(ref('stg_kalshi__events'), 'kalshi', 'event_ticker') }},

parsed as (

    select
        *,
        {{ json_fields('payload', ['title', 'category', 'mutually_exclusive', 'strike_date']) }} as thing
    from new_rows

),

renamed as (

    select
        parsed.event_ticker,
        parsed.series_ticker,
        parsed.thing.title,
        parsed.thing.category,
        parsed.thing.mutually_exclusive = 'true' as is_exclusive,
        {{ parse_timestamp('parsed.thing.strike_date') }} as strike_date,

        parsed.first_loaded_at,
        parsed.fetched_at,
        parsed.walk_id,
        parsed.walk_position
    from parsed

),

{{ newest_reading('event_ticker', [
    'series_ticker', 'title', 'category', 'is_exclusive', 'strike_date',
]) }}
