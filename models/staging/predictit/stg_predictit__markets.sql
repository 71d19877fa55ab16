with markets as (

    select * from {{ raw_table('raw_predictit', 'markets') }}

),

loads as (

    select * from {{ ref('stg_venues__loads') }}
    where venue = 'predictit'

),

renamed as (

    select
        -- ids
        markets.id as market_number,

        -- strings
        markets.status,
        markets.payload,

        -- timestamps
        {{ eastern_timestamp('markets.time_stamp', utc_timestamp('markets.fetched_at')) }} as venue_time,

        -- load metadata
        {{ utc_timestamp('markets.fetched_at') }} as fetched_at,
        markets.walk_id,
        markets.walk_position,
        markets._dlt_load_id as load_id
    from markets
    inner join loads on markets._dlt_load_id = loads.load_id

)

select * from renamed
