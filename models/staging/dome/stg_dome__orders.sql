with orders as (

    select * from {{ raw_table('raw_dome', 'orders') }}

),

loads as (

    select * from {{ ref('stg_dome__loads') }}

),

renamed as (

    select
        -- ids
        lower(orders.tx_hash) as transaction_hash,
        nullif(lower(orders.order_hash), '') as order_hash,
        lower(orders.user_address) as wallet_address,
        nullif(lower(orders.taker), '') as taker,
        orders.token_id,
        nullif(lower(orders.condition_id), '') as condition_id,
        -- A log entry names a fill for good. Older rows have none: there equal rows are told apart by counting.
        case
            when orders.log_index is not null
                then {{ fill_key(["'dome_orders'", 'orders.tx_hash', 'orders.log_index', 'orders.user_address']) }}
            else
                {{ fill_key([
                    "'dome_orders_unindexed'", 'orders.tx_hash', 'orders.order_hash', 'orders.user_address', 'orders.token_id',
                    'orders.side', 'orders.shares', 'orders.price', 'orders.timestamp',
                ]) }}
        end as entry_key,
        {{ fill_key(['orders.tx_hash', 'orders.user_address', 'orders.token_id', 'orders.side']) }} as group_key,

        -- strings
        upper(orders.side) as side,
        orders.payload,

        -- numerics
        {{ read_integer('orders.log_index') }} as log_index,
        {{ read_price('orders.price') }} as price,
        coalesce(
            {{ read_millionths('orders.shares') }},
            {{ read_amount('orders.shares_normalized') }}
        ) as shares,

        -- timestamps
        {{ epoch_timestamp('orders.timestamp') }} as traded_at,

        -- load metadata
        {{ utc_timestamp('orders.fetched_at') }} as fetched_at,
        orders.walk_id,
        orders.walk_position,
        orders._dlt_load_id as load_id
    from orders
    inner join loads on orders._dlt_load_id = loads.load_id

)

select * from renamed
