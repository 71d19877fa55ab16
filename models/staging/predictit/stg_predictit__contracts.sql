with contracts as (

    select * from {{ raw_table('raw_predictit', 'contracts') }}

),

loads as (

    select * from {{ ref('stg_venues__loads') }}
    where venue = 'predictit'

),

renamed as (

    select
        -- ids
        contracts.id as contract_number,
        contracts.market_id as market_number,

        -- strings
        contracts.status,
        contracts.payload,

        -- numerics
        {{ quote('contracts.best_sell_yes_cost') }} as bid,
        {{ quote('contracts.best_buy_yes_cost') }} as ask,
        {{ quote('contracts.last_trade_price') }} as last_price,

        -- timestamps
        {{ eastern_timestamp('contracts.time_stamp', utc_timestamp('contracts.fetched_at')) }} as venue_time,
        {{ eastern_timestamp('contracts.date_end', utc_timestamp('contracts.fetched_at')) }} as ends_at,

        -- load metadata
        {{ utc_timestamp('contracts.fetched_at') }} as fetched_at,
        contracts.walk_id,
        contracts.walk_position,
        contracts._dlt_load_id as load_id
    from contracts
    inner join loads on contracts._dlt_load_id = loads.load_id

)

select * from renamed
