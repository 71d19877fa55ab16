with candles as (

    select * from {{ raw_table('raw_kalshi', 'candles') }}

),

loads as (

    select * from {{ ref('stg_venues__loads') }}
    where venue = 'kalshi'

),

renamed as (

    select
        -- ids
        candles.market_ticker,

        -- strings
        candles.yes_bid,
        candles.yes_ask,
        candles.price,
        candles.payload,

        -- numerics
        {{ read_integer('candles.period_interval') }} as period_minutes,

        -- timestamps
        {{ epoch_timestamp('candles.end_period_ts') }} as ended_at,

        -- load metadata
        {{ utc_timestamp('candles.fetched_at') }} as fetched_at,
        candles.walk_id,
        candles.walk_position,
        candles._dlt_load_id as load_id
    from candles
    inner join loads on candles._dlt_load_id = loads.load_id

)

select * from renamed
