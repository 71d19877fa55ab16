{{ config(cluster_by=cluster_by(['wallet_address', 'token_id'])) }}

with trades as (

    select * from {{ ref('trades') }}

),

entries as (

    select * from {{ ref('int_ledger_breaks') }}

),

outcomes as (

    select * from {{ ref('int_market_outcomes') }}

),

moment as (

    select * from {{ ref('int_as_of') }}

),

traded as (

    select
        trades.wallet_address,
        trades.token_id,
        max(trades.market_id) as market_id,
        count(*) as trades,
        sum(case when trades.side = 'BUY' then trades.shares else 0 end) as shares_bought,
        sum(case when trades.side = 'SELL' then trades.shares else 0 end) as shares_sold,
        sum(case when trades.side = 'BUY' then trades.usd_value else 0 end) as bought_usd,
        sum(case when trades.side = 'SELL' then trades.usd_value else 0 end) as sold_usd,
        sum(case when trades.side = 'BUY' then coalesce(trades.fee_usd, 0) else 0 end) as buy_fees_usd,
        sum(case when trades.side = 'SELL' then coalesce(trades.fee_usd, 0) else 0 end) as sell_fees_usd,
        count(trades.fee_usd) = count(*) as fees_complete,
        min(trades.timestamp) as first_trade_at,
        max(trades.timestamp) as last_trade_at
    from trades
    cross join moment
    where trades.timestamp <= moment.as_of
    group by trades.wallet_address, trades.token_id

),

-- What is known of an outcome at the moment of the scores: a payout or a price that came later does not count.
known_outcomes as (

    select
        outcomes.contract_id,
        outcomes.outcome,
        outcomes.payout,
        case when outcomes.observed_at <= moment.as_of then outcomes.price end as price,
        outcomes.is_resolved and outcomes.resolved_at <= moment.as_of as is_resolved,
        outcomes.is_voided and outcomes.resolved_at <= moment.as_of as is_voided
    from outcomes
    cross join moment

),

described as (

    select
        traded.*,
        traded.shares_bought - traded.shares_sold as shares_held,
        traded.bought_usd + traded.buy_fees_usd as cost_usd,
        least(traded.shares_sold, traded.shares_bought) as shares_matched,
        traded.buy_fees_usd + traded.sell_fees_usd as fees_usd,
        known_outcomes.outcome,
        known_outcomes.payout,
        known_outcomes.price,
        coalesce(known_outcomes.is_resolved, false) as is_resolved,
        coalesce(known_outcomes.is_voided, false) as is_voided,
        entries.market_id is not null as is_broken_by_ledger
    from traded
    left join known_outcomes on traded.token_id = known_outcomes.contract_id
    left join entries
        on
            traded.wallet_address = entries.wallet_address
            and traded.market_id = entries.market_id

),

costed as (

    select
        *,
        sold_usd - bought_usd - fees_usd as cash_flow_usd,
        {{ prorate('cost_usd', 'shares_matched', 'shares_bought') }} as cost_of_sold_usd
    from described

),

positions as (

    select
        'polymarket' as venue,
        wallet_address,
        -- The venue's rows of some old fills name no market; each of their tokens stands for itself.
        coalesce(market_id, 'token:' || token_id) as market_id,
        market_id as condition_id,
        token_id,
        outcome,
        case
            when is_resolved then 'resolved'
            when is_voided then 'voided'
            when shares_held = 0 then 'closed'
            else 'open'
        end as status,
        trades,
        cast(shares_bought as numeric(38, 9)) as shares_bought,
        cast(shares_sold as numeric(38, 9)) as shares_sold,
        cast(shares_held as numeric(38, 9)) as shares_held,
        cast(bought_usd as numeric(38, 9)) as bought_usd,
        cast(sold_usd as numeric(38, 9)) as sold_usd,
        cast(fees_usd as numeric(38, 9)) as fees_usd,
        cast(cost_usd as numeric(38, 9)) as stake_usd,
        cast(cash_flow_usd as numeric(38, 9)) as cash_flow_usd,
        payout,
        cast(sold_usd - sell_fees_usd - cost_of_sold_usd as numeric(38, 9)) as realized_cash_pnl,
        case
            when is_resolved
                then cast(cash_flow_usd + cast(shares_held * payout as numeric(38, 9)) as numeric(38, 9))
        end as resolved_pnl,
        case
            when not is_resolved and not is_voided
                then
                    cast(
                        cast(shares_held * price as numeric(38, 9)) - (cost_usd - cost_of_sold_usd)
                        as numeric(38, 9)
                    )
        end as unrealized_pnl,
        shares_sold <= shares_bought and not is_broken_by_ledger as is_conserved,
        fees_complete,
        first_trade_at,
        last_trade_at
    from costed

)

select * from positions
