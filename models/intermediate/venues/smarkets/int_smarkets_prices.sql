{{ config(materialized='view') }}

with walks as (

    select * from {{ ref('stg_venues__walks') }}
    where venue = 'smarkets'

),

quotes as (

    select
        quotes.*,
        walks.run_id,
        {{ json_fields('quotes.payload', ['bids', 'offers']) }} as book
    from {{ ref('stg_smarkets__quotes') }} as quotes
    inner join walks on quotes.walk_id = walks.walk_id

),

-- A run reads the state of a market, its quotes, last prices and volume within moments of each other.
markets as (

    select
        walks.run_id,
        markets.market_number,
        max(markets.state) as state
    from {{ ref('stg_smarkets__markets') }} as markets
    inner join walks on markets.walk_id = walks.walk_id
    group by walks.run_id, markets.market_number

),

last_prices as (

    select
        walks.run_id,
        last_prices.contract_number,
        max({{ exact_ratio(try_cast('last_prices.last_executed_price', money_type()), '100') }}) as last_price
    from {{ ref('stg_smarkets__last_prices') }} as last_prices
    inner join walks on last_prices.walk_id = walks.walk_id
    group by walks.run_id, last_prices.contract_number

),

volumes as (

    select
        walks.run_id,
        volumes.market_number,
        max({{ try_cast('volumes.volume', money_type()) }}) as volume
    from {{ ref('stg_smarkets__volumes') }} as volumes
    inner join walks on volumes.walk_id = walks.walk_id
    group by walks.run_id, volumes.market_number

),

prices as (

    select
        concat('smarkets:', quotes.market_number) as market_id,
        concat('smarkets:', quotes.contract_number) as contract_id,
        'smarkets_quotes' as source,
        'observed' as fidelity,
        quotes.fetched_at as snapshot_time,
        cast(null as timestamp) as venue_time,
        {{ exact_ratio(
            best_level('quotes.book.bids', 'max', 'quantity', '2147483646'), '10000'
        ) }} as bid,
        {{ exact_ratio(
            best_level('quotes.book.offers', 'min', 'quantity', '2147483646'), '10000'
        ) }} as ask,
        last_prices.last_price,
        volumes.volume,
        cast(null as {{ money_type() }}) as period_volume,
        {{ volume_unit('smarkets') }} as volume_unit,
        case
            when markets.state in ('open', 'live') then 'open'
            when markets.state = 'halted' then 'suspended'
        end as market_status,
        quotes.fetched_at,
        quotes.walk_id,
        quotes.walk_position,
        quotes.load_id
    from quotes
    inner join markets
        on
            quotes.run_id = markets.run_id
            and quotes.market_number = markets.market_number
    left join last_prices
        on
            quotes.run_id = last_prices.run_id
            and quotes.contract_number = last_prices.contract_number
    left join volumes
        on
            quotes.run_id = volumes.run_id
            and quotes.market_number = volumes.market_number

)

select * from prices
