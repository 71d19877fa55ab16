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
        sum(shares_bought) as shares_bought,
        sum(bought_usd) as bought_usd,
        sum({{ exact_product('shares_bought', 'payout') }}) as bought_worth_usd,
        -- Each purchased outcome is one forecast: its mean price, against what it paid.
        count(case when shares_bought > 0 then payout end) as forecasts,
        sum(
            case
                when shares_bought > 0
                    then
                        power(
                            cast(bought_usd as {{ double_type() }}) / cast(shares_bought as {{ double_type() }})
                            - cast(payout as {{ double_type() }}),
                            2
                        )
            end
        ) as squared_error,
        sum(shares_bought + shares_split + shares_converted_in) as shares_in,
        -- Shares that came from nowhere came at no known time.
        sum(
            case
                when shares_bought + shares_split + shares_converted_in > 0 then share_seconds_out - share_seconds_in
                else 0
            end
        ) as share_seconds,
        sum(
            case
                when shares_bought + shares_split + shares_converted_in > 0
                    then
                        shares_bought + shares_split + shares_converted_in
                        - shares_sold - shares_merged - shares_converted_out
                else 0
            end
        ) as shares_left,
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

timed as (

    select
        *,
        -- What did not leave before is held until the resolution, redeemed or not.
        share_seconds + shares_left * {{ unix_seconds('resolved_at') }} as held_share_seconds
    from described

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
        {%- for column in ['shares_bought', 'bought_usd', 'shares_in', 'held_share_seconds'] %}
        cast({{ column }} as {{ money_type() }}) as {{ column }},
        {%- endfor %}
        cast(bought_worth_usd as {{ exact_type() }}) as bought_worth_usd,
        cast(forecasts as int64) as forecasts,
        squared_error,
        not_scored_reason is null as is_scored,
        is_conserved,
        fees_complete,
        resolved_at,
        last_trade_at
    from timed

)

select * from pnl
