with standings as (

    select * from {{ raw_table('raw_polymarket', 'standings') }}

),

loads as (

    select * from {{ ref('stg_polymarket__loads') }}

),

renamed as (

    select
        -- ids
        lower(standings.user_id) as wallet_address,

        -- strings
        standings.payload,

        -- numerics
        {{ read_amount('standings.pnl') }} as realized_pnl,
        {{ read_integer('standings.rank_pnl') }} as pnl_rank,
        {{ read_amount('standings.volume') }} as volume_shares,

        -- load metadata
        {{ utc_timestamp('standings.fetched_at') }} as fetched_at,
        standings.walk_id,
        standings.walk_position,
        standings._dlt_load_id as load_id
    from standings
    inner join loads on standings._dlt_load_id = loads.load_id

)

select * from renamed
