{{ config(materialized='view') }}

with positions as (

    select * from {{ ref('wallet_positions') }}

),

markets as (

    select * from {{ ref('int_markets') }}

),

summed as (

    select
        wallet_address,
        market_id,
        max(condition_id) as condition_id,
        sum(case when trades > 0 then 1 else 0 end) as outcomes_traded,
        sum(trades) as trades,
        sum(realized_cash_pnl) as realized_cash_pnl,
        -- A basis that is unknown for one outcome is unknown for the market.
        case when count(resolved_pnl) = count(*) then sum(resolved_pnl) end as resolved_pnl,
        case when count(unrealized_pnl) = count(*) then sum(unrealized_pnl) end as unrealized_pnl,
        sum(stake_usd) as stake_usd,
        sum(fees_usd) as fees_usd,
        max(status) as status,
        sum(case when is_conserved then 0 else 1 end) = 0 as is_conserved,
        sum(case when fees_complete then 0 else 1 end) = 0 as fees_complete,
        max(last_trade_at) as last_trade_at
    from positions
    group by wallet_address, market_id

),

described as (

    select
        summed.*,
        markets.event_slug,
        coalesce(markets.category, 'Uncategorized') as category,
        case when summed.status in ('resolved', 'voided') then markets.resolved_at end as resolved_at,
        case
            when markets.market_id is null then 'market_unknown'
            when summed.status = 'voided' then 'voided'
            when summed.resolved_pnl is null then 'not_resolved'
            when not summed.is_conserved then 'ledger_break'
        end as not_scored_reason
    from summed
    left join markets on summed.market_id = markets.market_id

),

pnl as (

    select
        'polymarket' as venue,
        wallet_address,
        market_id,
        condition_id,
        event_slug,
        category,
        not_scored_reason,
        cast(outcomes_traded as int64) as outcomes_traded,
        cast(trades as int64) as trades,
        cast(realized_cash_pnl as {{ money_type() }}) as realized_cash_pnl,
        cast(resolved_pnl as {{ money_type() }}) as resolved_pnl,
        cast(unrealized_pnl as {{ money_type() }}) as unrealized_pnl,
        cast(stake_usd as {{ money_type() }}) as stake_usd,
        cast(fees_usd as {{ money_type() }}) as fees_usd,
        not_scored_reason is null as is_scored,
        is_conserved,
        fees_complete,
        resolved_at,
        last_trade_at
    from described

)

select * from pnl
