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
        {{ read_amount('positions.current_size') }} as shares_held,
        {{ read_amount('positions.total_size') }} as shares_acquired,
        {{ read_price('positions.avg_price') }} as average_price,
        {{ read_price('positions.current_price') }} as price,
        {{ read_amount('positions.entry_cost_usdc') }} as cost_usd,
        {{ read_amount('positions.entry_fees_usdc') }} as fees_usd,
        {{ read_amount('positions.realized_pnl') }} as realized_pnl,
        {{ read_amount('positions.unrealized_pnl') }} as unrealized_pnl,
        {{ read_amount('positions.total_pnl') }} as total_pnl,

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
