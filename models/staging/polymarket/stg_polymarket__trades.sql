with trades as (

    select * from {{ raw_table('raw_polymarket', 'trades') }}

),

loads as (

    select * from {{ ref('stg_polymarket__loads') }}

),

renamed as (

    select
        -- ids
        lower(trades.transaction_hash) as transaction_hash,
        lower(trades.proxy_wallet) as wallet_address,
        trades.token_id,
        nullif(lower(trades.condition_id), '') as condition_id,
        {{ fill_key([
            "'polymarket_trades'", 'trades.transaction_hash', 'trades.proxy_wallet', 'trades.token_id', 'trades.side',
            'trades.price', 'trades.size', 'trades.timestamp',
        ]) }} as entry_key,
        {{ fill_key([
            'trades.transaction_hash', 'trades.proxy_wallet', 'trades.token_id', 'trades.side',
        ]) }} as group_key,

        -- strings
        upper(trades.side) as side,
        trades.payload,

        -- numerics
        {{ read_price('trades.price') }} as price,
        {{ read_amount('trades.size') }} as shares,

        -- timestamps
        {{ epoch_timestamp('trades.timestamp') }} as traded_at,

        -- load metadata
        {{ utc_timestamp('trades.fetched_at') }} as fetched_at,
        trades.walk_id,
        trades.walk_position,
        trades._dlt_load_id as load_id
    from trades
    inner join loads on trades._dlt_load_id = loads.load_id

)

select * from renamed
