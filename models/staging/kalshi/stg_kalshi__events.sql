with events as (

    select * from {{ raw_table('raw_kalshi', 'events') }}

),

loads as (

    select * from {{ ref('stg_venues__loads') }}
    where venue = 'kalshi'

),

renamed as (

    select
        -- ids
        events.event_ticker,
        events.series_ticker,

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
