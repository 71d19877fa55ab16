{{ config(cluster_by=clustering(['contract_id'])) }}

with polymarket_markets as (

    select * from {{ ref('int_polymarket_markets') }}

),

dome_markets as (

    select * from {{ ref('int_dome_markets') }}

),

-- How the venue settled a market, as the oracle reported it: the payouts themselves, where prices are only a sign of
-- them.
settlements as (

    select
        condition_id,
        {{ json_texts('payouts') }} as payouts,
        resolved_at as settled_at
    from {{ ref('stg_polymarket__resolutions') }}
    where
        resolution_status = 'resolved'
        and payouts is not null
    qualify
        row_number() over (
            partition by condition_id
            order by fetched_at desc, walk_id desc, walk_position desc
        ) = 1

),

-- Polymarket's own word about a market counts before Dome's copy of it.
dome_only_markets as (

    select dome_markets.*
    from dome_markets
    left join polymarket_markets on dome_markets.condition_id = polymarket_markets.condition_id
    where polymarket_markets.condition_id is null

),

polymarket_outcomes as (

    select
        'polymarket' as source,
        markets.condition_id as market_id,
        markets.event_slug,
        outcomes.contract_id,
        outcomes.outcome_index,
        {{ array_element('markets.outcomes', 'outcomes.outcome_index') }} as outcome,
        {{ try_cast(array_element('markets.outcome_prices', 'outcomes.outcome_index'), money_type()) }} as price,
        markets.uma_status,
        markets.is_closed,
        markets.best_bid,
        markets.best_ask,
        markets.last_trade_price,
        markets.fee_rate,
        markets.fee_exponent,
        markets.has_fees,
        markets.closed_at,
        settlements.settled_at,
        cast(
            {{ read_amount(array_element('settlements.payouts', 'outcomes.outcome_index')) }}
            * cast('0.000001' as {{ money_type() }})
            as {{ money_type() }}
        ) as settled_payout,
        markets.observed_at
    from polymarket_markets as markets
    {{ unnest_array('markets.token_ids', 'contract_id', 'outcome_index', 'outcomes') }}
    left join settlements on markets.condition_id = settlements.condition_id

),

-- Which vectors of final prices are payouts. With the oracle's word: any that sum to 1. Without it (short and old
-- markets never have it): only 1 and zeros, or equal parts, since any other looks like a price at the close. Zeros
-- alone pay nothing and say nothing.
judged as (

    select
        *,
        count(*) over (partition by market_id) as outcomes_in_market,
        count(price) over (partition by market_id) as prices_in_market,
        sum(price) over (partition by market_id) as sum_of_prices,
        min(price) over (partition by market_id) as lowest_price,
        max(price) over (partition by market_id) as highest_price,
        sum(case when price = 0 then 1 else 0 end) over (partition by market_id) as zeros_in_market,
        count(settled_payout) over (partition by market_id) = count(*) over (partition by market_id) as is_settled,
        sum(settled_payout) over (partition by market_id) as settled_sum
    from polymarket_outcomes

),

polymarket_payouts as (

    select
        *,
        is_closed
        and prices_in_market = outcomes_in_market
        and abs(sum_of_prices - 1) <= cast('0.000001' as {{ money_type() }})
        and (
            uma_status = 'resolved'
            or (
                uma_status is null
                and (
                    (highest_price = 1 and zeros_in_market = outcomes_in_market - 1)
                    or lowest_price = highest_price
                )
            )
        ) as is_resolved_by_prices,
        is_closed
        and coalesce(uma_status = 'resolved', false)
        and zeros_in_market = outcomes_in_market as is_voided_by_prices
    from judged

),

-- A settlement counts before the prices.
polymarket_decisions as (

    select
        *,
        case when is_settled then settled_sum > 0 else is_resolved_by_prices end as is_resolved,
        case when is_settled then settled_sum = 0 else is_voided_by_prices end as is_voided
    from polymarket_payouts

),

polymarket as (

    select
        source,
        market_id,
        event_slug,
        contract_id,
        outcome,
        outcome_index,
        price,
        case when is_resolved and is_settled then settled_payout when is_resolved then price end as payout,
        case when is_settled then 'settlement' when is_resolved or is_voided then 'gamma' end as payout_source,
        -- The venue quotes the first of two outcomes; the second is its mirror image.
        case
            when outcome_index = 0 then best_bid
            when outcome_index = 1 and outcomes_in_market = 2 then 1 - best_ask
        end as bid,
        case
            when outcome_index = 0 then best_ask
            when outcome_index = 1 and outcomes_in_market = 2 then 1 - best_bid
        end as ask,
        case
            when outcome_index = 0 then last_trade_price
            when outcome_index = 1 and outcomes_in_market = 2 then 1 - last_trade_price
        end as last_price,
        fee_rate,
        fee_exponent,
        has_fees,
        coalesce(is_resolved, false) as is_resolved,
        coalesce(is_voided, false) as is_voided,
        case
            when is_settled then coalesce(settled_at, closed_at, observed_at)
            when is_resolved or is_voided then coalesce(closed_at, observed_at)
        end as resolved_at,
        observed_at
    from polymarket_decisions

),

dome_outcomes as (

    select
        'dome' as source,
        markets.condition_id as market_id,
        markets.event_slug,
        outcomes.contract_id,
        outcomes.outcome_index,
        {{ array_element('markets.outcomes', 'outcomes.outcome_index') }} as outcome,
        markets.winning_token_id,
        markets.winning_label,
        markets.closed_at,
        markets.observed_at
    from dome_only_markets as markets
    {{ unnest_array('markets.token_ids', 'contract_id', 'outcome_index', 'outcomes') }}

),

dome_winners as (

    select
        *,
        coalesce(contract_id = winning_token_id, outcome = winning_label, false) as is_winner
    from dome_outcomes

),

dome_payouts as (

    select
        *,
        sum(case when is_winner then 1 else 0 end) over (partition by market_id) = 1 as is_resolved
    from dome_winners

),

dome as (

    select
        source,
        market_id,
        event_slug,
        contract_id,
        outcome,
        outcome_index,
        cast(null as {{ money_type() }}) as price,
        case
            when is_resolved and is_winner then cast(1 as {{ money_type() }})
            when is_resolved then cast(0 as {{ money_type() }})
        end as payout,
        case when is_resolved then 'dome' end as payout_source,
        cast(null as {{ money_type() }}) as bid,
        cast(null as {{ money_type() }}) as ask,
        cast(null as {{ money_type() }}) as last_price,
        cast(null as {{ money_type() }}) as fee_rate,
        cast(null as int64) as fee_exponent,
        cast(null as bool) as has_fees,
        is_resolved,
        false as is_voided,
        case when is_resolved then coalesce(closed_at, observed_at) end as resolved_at,
        observed_at
    from dome_payouts

),

all_outcomes as (

    select * from polymarket
    union all
    select * from dome

),

-- A token belongs to one market; should two claim it, the one seen last has it.
outcomes as (

    select * from all_outcomes
    where contract_id != ''
    qualify row_number() over (partition by contract_id order by observed_at desc, market_id asc) = 1

)

select * from outcomes
