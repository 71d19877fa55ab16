{{ config(materialized='view') }}

with totals as (

    select * from {{ ref('int_position_totals') }}
    where trades > 0

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

-- What is known of an outcome at the moment of the scores: a payout or a price that came later does not count.
known_outcomes as (

    select
        outcomes.contract_id,
        outcomes.market_id,
        outcomes.outcome,
        case when outcomes.resolved_at <= moment.as_of then outcomes.payout end as payout,
        case when outcomes.observed_at <= moment.as_of then outcomes.price end as price,
        outcomes.is_resolved and outcomes.resolved_at <= moment.as_of as is_resolved,
        outcomes.is_voided and outcomes.resolved_at <= moment.as_of as is_voided
    from outcomes
    cross join moment

),

described as (

    select
        totals.*,
        coalesce(known_outcomes.market_id, totals.condition_id) as market_id,
        totals.shares_bought - totals.shares_sold as shares_held,
        totals.bought_usd + totals.buy_fees_usd as cost_usd,
        least(totals.shares_sold, totals.shares_bought) as shares_matched,
        totals.buy_fees_usd + totals.sell_fees_usd as fees_usd,
        known_outcomes.outcome,
        known_outcomes.payout,
        known_outcomes.price,
        coalesce(known_outcomes.is_resolved, false) as is_resolved,
        coalesce(known_outcomes.is_voided, false) as is_voided
    from totals
    left join known_outcomes on totals.token_id = known_outcomes.contract_id

),

costed as (

    select
        described.*,
        entries.market_id is not null as is_broken_by_ledger,
        described.sold_usd - described.bought_usd - described.fees_usd as cash_flow_usd,
        -- Nearly every payout is nothing or all, and rounding a product of wide decimals is slow.
        case
            when described.payout = 0 then cast(0 as {{ money_type() }})
            when described.payout = 1 then described.shares_held
            else cast(described.shares_held * described.payout as {{ money_type() }})
        end as payout_usd,
        {{ prorate('described.cost_usd', 'described.shares_matched', 'described.shares_bought') }} as cost_of_sold_usd
    from described
    left join entries
        on
            described.wallet_address = entries.wallet_address
            and described.market_id = entries.market_id

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
        cast(shares_bought as {{ money_type() }}) as shares_bought,
        cast(shares_sold as {{ money_type() }}) as shares_sold,
        cast(shares_held as {{ money_type() }}) as shares_held,
        cast(bought_usd as {{ money_type() }}) as bought_usd,
        cast(sold_usd as {{ money_type() }}) as sold_usd,
        cast(fees_usd as {{ money_type() }}) as fees_usd,
        cast(cost_usd as {{ money_type() }}) as stake_usd,
        cast(cash_flow_usd as {{ money_type() }}) as cash_flow_usd,
        payout,
        cast(sold_usd - sell_fees_usd - cost_of_sold_usd as {{ money_type() }}) as realized_cash_pnl,
        case
            when is_resolved then cast(cash_flow_usd + payout_usd as {{ money_type() }})
        end as resolved_pnl,
        case
            when not is_resolved and not is_voided
                then
                    cast(
                        cast(shares_held * price as {{ money_type() }}) - (cost_usd - cost_of_sold_usd)
                        as {{ money_type() }}
                    )
        end as unrealized_pnl,
        shares_sold <= shares_bought and not is_broken_by_ledger as is_conserved,
        fees_complete,
        first_trade_at,
        last_trade_at
    from costed

)

select * from positions
