{{ config(materialized='view') }}

with latest as (

    select * from {{ ref('int_betfair_latest') }}
    where resource = 'markets'

),

markets as (

    select
        thing_id as market_number,
        {{ json_fields('payload', ['description']) }} as market
    from latest

),

-- Prices of other kinds of bets are places on a scale, or pay in parts: they are no probabilities.
odds_markets as (

    select
        markets.market_number,
        {{ json_fields('markets.market.description', ['bettingType']) }} as description
    from markets

),

books as (

    select
        *,
        {{ json_fields('payload', ['status', 'totalMatched', 'runners']) }} as book
    from {{ ref('stg_betfair__books') }}

),

runners as (

    select
        books.*,
        {{ json_fields('runners.runner', ['selectionId', 'handicap', 'status', 'lastPriceTraded', 'ex']) }} as runner,
        runners.place
    from books
    {{ unnest_array(json_elements('books.book.runners'), 'runner', 'place', 'runners') }}

),

offered as (

    select
        *,
        {{ json_fields('runners.runner.ex', ['availableToBack', 'availableToLay']) }} as ex
    from runners

),

prices as (

    select
        concat('betfair:', offered.market_number) as market_id,
        {{ betfair_contract_id(
            'offered.market_number', 'offered.runner.selectionid', 'offered.runner.handicap'
        ) }} as contract_id,
        'betfair_books' as source,
        'observed' as fidelity,
        offered.fetched_at as snapshot_time,
        cast(null as timestamp) as venue_time,
        {{ exact_ratio('1', best_level('offered.ex.availabletolay', 'min', 'size')) }} as bid,
        {{ exact_ratio('1', best_level('offered.ex.availabletoback', 'max', 'size')) }} as ask,
        {{ exact_ratio('1', try_cast('offered.runner.lastpricetraded', money_type())) }} as last_price,
        {{ try_cast('offered.book.totalmatched', money_type()) }} as volume,
        cast(null as {{ money_type() }}) as period_volume,
        {{ volume_unit('betfair') }} as volume_unit,
        case offered.book.status when 'OPEN' then 'open' when 'SUSPENDED' then 'suspended' end as market_status,
        offered.fetched_at,
        offered.walk_id,
        -- One row holds all runners of a market.
        offered.walk_position * 10000 + offered.place as walk_position,
        offered.load_id
    from offered
    inner join odds_markets on offered.market_number = odds_markets.market_number
    where
        coalesce(odds_markets.description.bettingtype, 'ODDS') = 'ODDS'
        and offered.runner.status = 'ACTIVE'

)

select * from prices
