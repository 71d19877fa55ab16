with activity as (

    select * from {{ raw_table('raw_polymarket', 'activity') }}

),

loads as (

    select * from {{ ref('stg_polymarket__loads') }}

),

renamed as (

    select
        -- ids
        lower(activity.transaction_hash) as transaction_hash,
        lower(activity.proxy_wallet) as wallet_address,
        nullif(activity.token_id, '') as token_id,
        nullif(lower(activity.condition_id), '') as condition_id,
        {{ fill_key([
            "'polymarket_activity'", 'activity.transaction_hash', 'activity.proxy_wallet', 'activity.token_id',
            'activity.condition_id', 'activity.type', 'activity.side', 'activity.price', 'activity.size', 'activity.timestamp',
        ]) }} as entry_key,
        {{ fill_key([
            'activity.transaction_hash', 'activity.proxy_wallet', 'activity.token_id', 'activity.side',
        ]) }} as group_key,

        -- strings
        upper(activity.type) as entry_type,
        nullif(upper(activity.side), '') as side,
        activity.payload,

        -- numerics
        {{ read_price('activity.price') }} as price,
        {{ read_amount('activity.size') }} as shares,
        {{ read_amount('activity.usdc_size') }} as usdc_size,

        -- timestamps
        {{ epoch_timestamp('activity.timestamp') }} as traded_at,

        -- load metadata
        {{ utc_timestamp('activity.fetched_at') }} as fetched_at,
        activity.walk_id,
        activity.walk_position,
        activity._dlt_load_id as load_id
    from activity
    inner join loads on activity._dlt_load_id = loads.load_id

)

select * from renamed
