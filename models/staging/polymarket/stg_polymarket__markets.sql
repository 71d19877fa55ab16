with markets as (

    select * from {{ raw_table('raw_polymarket', 'markets') }}

),

loads as (

    select * from {{ ref('stg_polymarket__loads') }}

),

renamed as (

    select
        -- ids
        lower(markets.condition_id) as condition_id,
        markets.id as gamma_id,
        markets.slug,

        -- strings
        markets.payload,

        -- load metadata
        {{ utc_timestamp('markets.fetched_at') }} as fetched_at,
        markets.walk_id,
        markets.walk_position,
        markets._dlt_load_id as load_id
    from markets
    inner join loads on markets._dlt_load_id = loads.load_id

)

select * from renamed
