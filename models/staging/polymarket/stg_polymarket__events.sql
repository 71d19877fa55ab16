with events as (

    select * from {{ raw_table('raw_polymarket', 'events') }}

),

loads as (

    select * from {{ ref('stg_polymarket__loads') }}

),

renamed as (

    select
        -- ids
        events.id as event_id,
        events.slug as event_slug,

        -- strings
        events.payload,

        -- load metadata
        {{ utc_timestamp('events.fetched_at') }} as fetched_at,
        events.walk_id,
        events.walk_position,
        events._dlt_load_id as load_id
    from events
    inner join loads on events._dlt_load_id = loads.load_id

)

select * from renamed
