{{ config(materialized='view') }}

with market_rows as (

    select
        *,
        {{ json_fields('payload', [
            'bestBid', 'bestAsk', 'lastTradePrice', 'clobTokenIds', 'positionIds', 'active', 'closed', 'acceptingOrders',
            'volume', 'volumeNum',
        ]) }} as market
    from {{ ref('stg_polymarket__markets') }}
    where condition_id != ''

),

-- The venue quotes the first outcome; the other is its mirror image.
observed as (

    select
        market_rows.condition_id as market_id,
        {{ array_element(
            json_texts('coalesce(market_rows.market.clobtokenids, market_rows.market.positionids)'), 0
        ) }} as contract_id,
        'polymarket_markets' as source,
        'observed' as fidelity,
        market_rows.fetched_at as snapshot_time,
        {{ quote('market_rows.market.bestbid') }} as bid,
        {{ quote('market_rows.market.bestask') }} as ask,
        {{ quote('market_rows.market.lasttradeprice') }} as last_price,
        {{ try_cast('coalesce(market_rows.market.volume, market_rows.market.volumenum)', money_type()) }} as volume,
        case when market_rows.market.acceptingorders = 'false' then 'suspended' else 'open' end as market_status,
        market_rows.fetched_at,
        market_rows.walk_id,
        market_rows.walk_position,
        market_rows.load_id
    from market_rows
    where
        market_rows.market.active = 'true'
        and coalesce(market_rows.market.closed, 'false') != 'true'

),

outcomes as (

    select
        market_id,
        contract_id
    from {{ ref('int_market_outcomes') }}

),

history as (

    select
        outcomes.market_id,
        outcomes.contract_id,
        'polymarket_prices_history' as source,
        case prices.resolution_seconds
            when 60 then '1m'
            when 300 then '5m'
            when 1800 then '30m'
            when 10800 then '3h'
            when 43200 then '12h'
            else 'other'
        end as fidelity,
        prices.priced_at as snapshot_time,
        cast(null as {{ money_type() }}) as bid,
        cast(null as {{ money_type() }}) as ask,
        cast(
            case when prices.price between 0 and 1 then prices.price end as {{ money_type() }}
        ) as last_price,
        cast(null as {{ money_type() }}) as volume,
        cast(null as string) as market_status,
        prices.fetched_at,
        prices.walk_id,
        prices.walk_position,
        prices.load_id
    from {{ ref('stg_polymarket__prices') }} as prices
    inner join outcomes on prices.token_id = outcomes.contract_id
    where prices.priced_at is not null

),

all_prices as (

    select * from observed
    union all
    select * from history

),

prices as (

    select
        market_id,
        contract_id,
        source,
        fidelity,
        snapshot_time,
        cast(null as timestamp) as venue_time,
        bid,
        ask,
        last_price,
        volume,
        cast(null as {{ money_type() }}) as period_volume,
        {{ volume_unit('polymarket') }} as volume_unit,
        market_status,
        fetched_at,
        walk_id,
        walk_position,
        load_id
    from all_prices

)

select * from prices
