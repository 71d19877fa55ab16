with leaderboard as (

    select * from {{ raw_table('raw_polymarket', 'leaderboard') }}

),

loads as (

    select * from {{ ref('stg_polymarket__loads') }}

),

renamed as (

    select
        -- ids
        lower(leaderboard.user_id) as wallet_address,

        -- strings
        leaderboard.payload,

        -- load metadata
        {{ utc_timestamp('leaderboard.fetched_at') }} as fetched_at,
        leaderboard.walk_id,
        leaderboard.walk_position,
        leaderboard._dlt_load_id as load_id
    from leaderboard
    inner join loads on leaderboard._dlt_load_id = loads.load_id
    where leaderboard.user_id is not null

)

select * from renamed
