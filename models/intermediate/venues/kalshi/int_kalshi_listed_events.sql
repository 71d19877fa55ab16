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

with new_loads as (

    {{ new_loads() }}

),

new_rows as (

    select
        events.*,
        min(new_loads.committed_at) over (partition by events.event_ticker) as first_loaded_at
    from {{ ref('stg_kalshi__events') }} as events
    inner join new_loads
        on
            events.load_id = new_loads.load_id
            and new_loads.venue = 'kalshi'
    where events.event_ticker != ''
    qualify
        row_number() over (
            partition by events.event_ticker
            order by events.fetched_at desc, events.walk_id desc, events.walk_position desc
        ) = 1

),

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
