with markets as (

    select * from {{ raw_table('raw_kalshi', 'markets') }}

),

loads as (

    select * from {{ ref('stg_venues__loads') }}
    where venue = 'kalshi'

),

renamed as (

    select
        -- ids
        markets.ticker,
        markets.event_ticker,

        -- strings
        markets.status,
        markets.payload,

        -- timestamps
        {{ parse_timestamp('markets.open_time') }} as opens_at,
        {{ parse_timestamp('markets.close_time') }} as closes_at,
        {{ parse_timestamp('markets.settlement_ts') }} as settled_at,

        -- load metadata
        {{ utc_timestamp('markets.fetched_at') }} as fetched_at,
        markets.walk_id,
        markets.walk_position,
        markets._dlt_load_id as load_id
    from markets
    inner join loads on markets._dlt_load_id = loads.load_id

)

select * from renamed
