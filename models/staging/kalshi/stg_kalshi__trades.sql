with trades as (

    select * from {{ raw_table('raw_kalshi', 'trades') }}

),

loads as (

    select * from {{ ref('stg_venues__loads') }}
    where venue = 'kalshi'

),

renamed as (

    select
        -- ids
        trades.trade_id,
        trades.ticker,

        -- strings
        trades.taker_outcome_side,
        trades.payload,

        -- numerics
        {{ read_price('trades.yes_price_dollars') }} as yes_price,
        {{ read_amount('trades.count_fp') }} as contracts,

        -- timestamps
        {{ parse_timestamp('trades.created_time') }} as traded_at,

        -- load metadata
        {{ utc_timestamp('trades.fetched_at') }} as fetched_at,
        trades.walk_id,
        trades.walk_position,
        trades._dlt_load_id as load_id
    from trades
    inner join loads on trades._dlt_load_id = loads.load_id

)

select * from renamed
