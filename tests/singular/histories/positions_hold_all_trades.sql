-- Nothing bought or sold is lost on the way from trades to positions to markets, and nothing after the moment of the
-- scores counts.
with trades as (

    select * from {{ ref('trades') }}
    where wallet_address is not null

),

positions as (

    select * from {{ ref('wallet_positions') }}

),

pnl as (

    select * from {{ ref('wallet_market_pnl') }}

),

moment as (

    select * from {{ ref('int_as_of') }}

),

traded as (

    select
        count(*) as trades,
        sum(case when trades.side = 'BUY' then trades.shares else -trades.shares end) as shares,
        sum(
            case when trades.side = 'BUY' then -trades.usd_value else trades.usd_value end - coalesce(trades.fee_usd, 0)
        ) as cash
    from trades
    cross join moment
    where trades.timestamp <= moment.as_of

),

held as (

    select
        sum(trades) as trades,
        sum(shares_bought - shares_sold) as shares,
        sum(sold_usd - bought_usd - fees_usd) as cash
    from positions

),

scored as (

    select
        sum(trades) as trades,
        sum(fees_usd) as fees_usd
    from pnl

),

paid as (

    select sum(fees_usd) as fees_usd
    from positions

),

differing as (

    select
        traded.trades,
        held.trades as trades_in_positions,
        scored.trades as trades_in_markets,
        traded.shares,
        held.shares as shares_in_positions,
        traded.cash,
        held.cash as cash_in_positions
    from traded
    cross join held
    cross join scored
    cross join paid
    where
        traded.trades != coalesce(held.trades, 0)
        or traded.trades != coalesce(scored.trades, 0)
        or traded.shares != held.shares
        or traded.cash != held.cash
        or paid.fees_usd != scored.fees_usd

)

select * from differing
