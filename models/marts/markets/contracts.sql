{{ config(cluster_by=clustering(['market_id'])) }}

with outcomes as (

    select * from {{ ref('int_market_outcomes') }}

),

contracts as (

    select
        'polymarket' as venue,
        market_id,
        contract_id,
        outcome,
        outcome_index,
        payout,
        cast(price as {{ money_type() }}) as yes_price,
        cast(1 - price as {{ money_type() }}) as no_price,
        cast(bid as {{ money_type() }}) as bid,
        cast(ask as {{ money_type() }}) as ask,
        cast(last_price as {{ money_type() }}) as last_price,
        observed_at
    from outcomes

),

venue_contracts as (

    select
        *,
        coalesce({{ mid_price('bid', 'ask') }}, last_price) as yes_price
    from {{ ref('int_venue_contracts') }}

),

other_venues as (

    select
        venue,
        market_id,
        contract_id,
        outcome,
        outcome_index,
        payout,
        yes_price,
        cast(1 - yes_price as {{ money_type() }}) as no_price,
        bid,
        ask,
        last_price,
        observed_at
    from venue_contracts

),

all_contracts as (

    select * from contracts
    union all
    select * from other_venues

)

select * from all_contracts
