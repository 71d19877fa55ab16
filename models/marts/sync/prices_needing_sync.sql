{{ config(materialized='view') }}

with contracts as (

    select * from {{ ref('contracts') }}
    where
        venue = 'polymarket'
        and outcome_index = 0

),

markets as (

    select * from {{ ref('markets') }}

),

-- Of two outcomes one is the mirror image of the other, so that the first tells both.
due as (

    select
        contracts.venue,
        contracts.market_id,
        contracts.contract_id,
        markets.start_date as open_from,
        case when markets.closed then coalesce(markets.resolved_at, markets.end_date) end as open_until,
        cast(
            row_number() over (
                partition by contracts.venue
                order by markets.volume desc nulls last, contracts.contract_id asc
            ) as int64
        ) as sync_order
    from contracts
    inner join markets on contracts.market_id = markets.market_id

)

select * from due
