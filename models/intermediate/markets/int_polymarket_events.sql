{{
    config(
        materialized='incremental',
        unique_key='event_id',
        incremental_strategy='merge',
        on_schema_change='fail',
        cluster_by=clustering(['event_id']),
        post_hook="{{ remember_loads() }}",
    )
}}

{%- set day = first_fetch() -%}

with new_loads as (

    {{ new_loads() }}

),

new_rows as (

    select
        events.event_id,
        events.event_slug,
        events.payload,
        events.fetched_at,
        events.walk_id,
        events.walk_position,
        min(new_loads.committed_at) over (partition by events.event_id) as first_loaded_at
    from {{ ref('stg_polymarket__events') }} as events
    inner join new_loads
        on
            events.load_id = new_loads.load_id
            and new_loads.venue = 'polymarket'
    where
        {{ fetched_since('events.fetched_at', day) }}
        and events.event_id != ''
        and events.event_slug != ''
    qualify
        row_number() over (
            partition by events.event_id
            order by events.fetched_at desc, events.walk_id desc, events.walk_position desc
        ) = 1

),

parsed as (

    select
        *,
        {{ json_fields('payload', [
            'title', 'tags', 'markets', 'active', 'closed', 'startDate', 'endDate',
        ]) }} as event
    from new_rows

),

renamed as (

    select
        -- ids
        parsed.event_id,
        parsed.event_slug,

        -- strings
        parsed.event.title,
        {{ json_texts('parsed.event.tags', 'slug') }} as tags,
        {{ json_texts('parsed.event.markets', 'conditionId') }} as condition_ids,

        -- numerics
        {{ array_size(json_texts('parsed.event.markets', 'id')) }} as markets,

        -- booleans
        coalesce(parsed.event.active = 'true', false) as is_active,
        coalesce(parsed.event.closed = 'true', false) as is_closed,

        -- timestamps
        {{ parse_timestamp('parsed.event.startdate') }} as start_date,
        {{ parse_timestamp('parsed.event.enddate') }} as end_date,

        -- load metadata
        parsed.first_loaded_at,
        parsed.fetched_at,
        parsed.walk_id,
        parsed.walk_position
    from parsed

),

readings as (

    select * from renamed
    {%- if is_incremental() %}
    union all
    select * from {{ this }}
    where event_id in (select renamed.event_id from renamed)
    {%- endif %}

),

-- Whatever the order in which loads are committed, the row read last wins.
newest as (

    select
        event_id,
        event_slug,
        title,
        tags,
        condition_ids,
        markets,
        is_active,
        is_closed,
        start_date,
        end_date,
        min(first_loaded_at) over (partition by event_id) as first_loaded_at,
        fetched_at,
        walk_id,
        walk_position
    from readings
    qualify
        row_number() over (
            partition by event_id
            order by fetched_at desc, walk_id desc, walk_position desc
        ) = 1

)

select * from newest
