with prices as (

    select * from {{ raw_table('raw_polymarket', 'prices') }}

),

loads as (

    select * from {{ ref('stg_polymarket__loads') }}

),

renamed as (

    select
        -- ids
        prices.token_id,

        -- strings
        prices.payload,

        -- numerics
        {{ read_price('prices.price') }} as price,
        {{ read_integer('prices.resolution_seconds') }} as resolution_seconds,

        -- timestamps
        {{ epoch_timestamp('prices.timestamp') }} as priced_at,

        -- load metadata
        {{ utc_timestamp('prices.fetched_at') }} as fetched_at,
        prices.walk_id,
        prices.walk_position,
        prices._dlt_load_id as load_id
    from prices
    inner join loads on prices._dlt_load_id = loads.load_id

)

select * from renamed
