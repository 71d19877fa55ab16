with contracts as (

    select * from {{ ref('int_predictit_listed_contracts') }}

),

markets as (

    select * from {{ ref('int_predictit_markets') }}

),

counted as (

    select
        markets.market_id,
        contracts.contract_number,
        contracts.name,
        contracts.bid,
        contracts.ask,
        contracts.last_price,
        markets.observed_at,
        count(*) over (partition by contracts.market_number) as contracts_in_market,
        row_number() over (
            partition by contracts.market_number
            order by contracts.display_order nulls last, length(contracts.contract_number), contracts.contract_number
        ) - 1 as outcome_index
    from contracts
    inner join markets on contracts.market_number = markets.slug

),

-- The one contract of a market repeats its question: what is traded is Yes.
named as (

    select
        market_id,
        concat('predictit:', contract_number) as contract_id,
        case when contracts_in_market = 1 then 'Yes' else name end as outcome,
        cast(outcome_index as int64) as outcome_index,
        cast(null as {{ money_type() }}) as payout,
        bid,
        ask,
        last_price,
        observed_at
    from counted

)

select * from named
