{{ config(materialized='view') }}

with trades as (

    select * from {{ ref('stg_kalshi__trades') }}

),

markets as (

    select
        slug,
        market_id,
        event_slug
    from {{ ref('int_kalshi_markets') }}

),

named as (

    select
        trades.trade_id,
        'kalshi_trades' as source,
        concat('kalshi:', trades.ticker) as market_id,
        markets.event_slug,
        concat('kalshi:', trades.ticker, ':yes') as contract_id,
        'Yes' as outcome,
        case when trades.taker_outcome_side = 'no' then 'SELL' else 'BUY' end as side,
        cast(trades.yes_price as {{ money_type() }}) as price,
        cast(trades.contracts as {{ money_type() }}) as shares,
        cast(round(trades.yes_price * trades.contracts, 6) as {{ money_type() }}) as usd_value,
        trades.traded_at,
        trades.fetched_at,
        trades.walk_id,
        trades.walk_position,
        trades.load_id
    from trades
    left join markets on trades.ticker = markets.slug
    where
        trades.trade_id != ''
        and trades.yes_price between 0 and 1
        and trades.contracts >= 0
        and trades.traded_at is not null

)

select * from named
