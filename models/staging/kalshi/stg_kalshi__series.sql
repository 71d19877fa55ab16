with series as (

    select * from {{ raw_table('raw_kalshi', 'series') }}

),

loads as (

    select * from {{ ref('stg_venues__loads') }}
    where venue = 'kalshi'

),

renamed as (

    select
        -- ids
        series.ticker as series_ticker,

        -- strings
        series.title,
        series.category,
        series.payload,

        -- load metadata
        {{ utc_timestamp('series.fetched_at') }} as fetched_at,
        series.walk_id,
        series.walk_position,
        series._dlt_load_id as load_id
    from series
    inner join loads on series._dlt_load_id = loads.load_id

)

select * from renamed
