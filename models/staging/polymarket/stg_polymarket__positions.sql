with positions as (

    select * from {{ raw_table('raw_polymarket', 'positions') }}

),

loads as (

    select * from {{ ref('stg_polymarket__loads') }}

),

renamed as (

    select
        -- ids
        lower(positions.proxy_wallet) as wallet_address,
        positions.token_id,
        lower(positions.condition_id) as condition_id,

        -- strings
        upper(positions.status) as position_status,
        positions.payload,

        -- numerics
        {{ try_cast('positions.current_size', amount_type()) }} as shares_held,
        {{ try_cast('positions.total_size', amount_type()) }} as shares_acquired,
        {{ try_cast('positions.avg_price', price_type()) }} as average_price,
        {{ try_cast('positions.current_price', price_type()) }} as price,
        {{ try_cast('positions.entry_cost_usdc', amount_type()) }} as cost_usd,
        {{ try_cast('positions.entry_fees_usdc', amount_type()) }} as fees_usd,
        {{ try_cast('positions.realized_pnl', amount_type()) }} as realized_pnl,
        {{ try_cast('positions.unrealized_pnl', amount_type()) }} as unrealized_pnl,
        {{ try_cast('positions.total_pnl', amount_type()) }} as total_pnl,

        -- timestamps
        {{ epoch_timestamp("nullif(positions.last_event_at, '0')") }} as last_event_at,

        -- load metadata
        {{ utc_timestamp('positions.fetched_at') }} as fetched_at,
        positions.walk_id,
        positions.walk_position,
        positions._dlt_load_id as load_id
    from positions
    inner join loads on positions._dlt_load_id = loads.load_id

)

select * from renamed
