{{ config(severity='warn') }}

-- The exchange still matches what was signed before the end, so that some fills come after it. Days later they would
-- mean that a market's resolution, or its outcome's token, is wrong. A warning, since the chain allows it.
with trades as (

    select
        market_id,
        max(timestamp) as last_trade_at
    from {{ ref('trades') }}
    group by market_id

),

markets as (

    select
        market_id,
        resolved_at
    from {{ ref('markets') }}
    where status = 'resolved'

),

late as (

    select
        trades.market_id,
        trades.last_trade_at,
        markets.resolved_at
    from trades
    inner join markets on trades.market_id = markets.market_id
    where markets.resolved_at < {{ timestamp_minus_days('trades.last_trade_at', 1) }}

)

select * from late
