{{ config(cluster_by=cluster_by(['market_id'])) }}

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
        cast(price as numeric(38, 9)) as yes_price,
        cast(1 - price as numeric(38, 9)) as no_price,
        cast(bid as numeric(38, 9)) as bid,
        cast(ask as numeric(38, 9)) as ask,
        cast(last_price as numeric(38, 9)) as last_price,
        observed_at
    from outcomes

)

select * from contracts
