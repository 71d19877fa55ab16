with wallets as (

    select * from {{ raw_table('raw_polymarket', 'wallets') }}

),

loads as (

    select * from {{ ref('stg_polymarket__loads') }}

),

renamed as (

    select
        -- ids
        lower(wallets.wallet_address) as wallet_address,

        -- strings
        'polymarket' as venue,
        wallets.payload,

        -- load metadata
        {{ utc_timestamp('wallets.fetched_at') }} as fetched_at,
        wallets.walk_id,
        wallets.walk_position,
        wallets._dlt_load_id as load_id
    from wallets
    inner join loads on wallets._dlt_load_id = loads.load_id
    where wallets.wallet_address is not null

)

select * from renamed
