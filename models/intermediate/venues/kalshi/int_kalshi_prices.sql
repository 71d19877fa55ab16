{{ config(materialized='view') }}

with market_rows as (

    select
        *,
        {{ json_fields('payload', [
            'yes_bid_dollars', 'yes_bid_size_fp', 'yes_ask_dollars', 'yes_ask_size_fp', 'last_price_dollars', 'volume_fp',
        ]) }} as quoted
    from {{ ref('stg_kalshi__markets') }}
    where
        ticker != ''
        and status in ('active', 'inactive')

),

observed as (

    select
        concat('kalshi:', market_rows.ticker) as market_id,
        'kalshi_markets' as source,
        'observed' as fidelity,
        market_rows.fetched_at as snapshot_time,
        {{ quote('market_rows.quoted.yes_bid_dollars', 'market_rows.quoted.yes_bid_size_fp') }} as bid,
        {{ quote('market_rows.quoted.yes_ask_dollars', 'market_rows.quoted.yes_ask_size_fp') }} as ask,
        {{ quote('market_rows.quoted.last_price_dollars', 'market_rows.quoted.volume_fp') }} as last_price,
        cast({{ read_amount('market_rows.quoted.volume_fp') }} as {{ money_type() }}) as volume,
        cast(null as {{ money_type() }}) as period_volume,
        case market_rows.status when 'active' then 'open' else 'suspended' end as market_status,
        market_rows.fetched_at,
        market_rows.walk_id,
        market_rows.walk_position,
        market_rows.load_id
    from market_rows

),

candle_rows as (

    select
        *,
        {{ json_fields('yes_bid', ['close_dollars', 'close']) }} as bids,
        {{ json_fields('yes_ask', ['close_dollars', 'close']) }} as asks,
        {{ json_fields('price', ['close_dollars', 'close']) }} as prices,
        {{ json_fields('payload', ['volume_fp', 'volume']) }} as traded
    from {{ ref('stg_kalshi__candles') }}
    where ended_at is not null

),

-- The archive names the same fields without `_dollars` and `_fp`. A candle without a trade has no price of its own:
-- `previous` belongs to another hour.
candles as (

    select
        concat('kalshi:', candle_rows.market_ticker) as market_id,
        'kalshi_candles' as source,
        case candle_rows.period_minutes when 1 then '1m' when 60 then '1h' when 1440 then '1d' end as fidelity,
        candle_rows.ended_at as snapshot_time,
        {{ quote('coalesce(candle_rows.bids.close_dollars, candle_rows.bids.close)') }} as bid,
        {{ quote('coalesce(candle_rows.asks.close_dollars, candle_rows.asks.close)') }} as ask,
        {{ quote('coalesce(candle_rows.prices.close_dollars, candle_rows.prices.close)') }} as last_price,
        cast(null as {{ money_type() }}) as volume,
        cast(
            {{ read_amount('coalesce(candle_rows.traded.volume_fp, candle_rows.traded.volume)') }} as {{ money_type() }}
        ) as period_volume,
        cast(null as string) as market_status,
        candle_rows.fetched_at,
        candle_rows.walk_id,
        candle_rows.walk_position,
        candle_rows.load_id
    from candle_rows

),

all_prices as (

    select * from observed
    union all
    select * from candles

),

prices as (

    select
        market_id,
        concat(market_id, ':yes') as contract_id,
        source,
        fidelity,
        snapshot_time,
        cast(null as timestamp) as venue_time,
        bid,
        ask,
        last_price,
        volume,
        period_volume,
        {{ volume_unit('kalshi') }} as volume_unit,
        market_status,
        fetched_at,
        walk_id,
        walk_position,
        load_id
    from all_prices

)

select * from prices
