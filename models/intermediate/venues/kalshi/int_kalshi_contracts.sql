with listed_markets as (

    select * from {{ ref('int_kalshi_listed_markets') }}

),

markets as (

    select * from {{ ref('int_kalshi_markets') }}

),

-- What a share of Yes paid; the rest of the dollar went to No.
settled as (

    select
        markets.market_id,
        markets.status,
        markets.observed_at,
        listed_markets.bid,
        listed_markets.ask,
        listed_markets.last_price,
        case
            when markets.status != 'resolved' then null
            when listed_markets.result = 'yes' then cast(1 as {{ money_type() }})
            when listed_markets.result = 'no' then cast(0 as {{ money_type() }})
            else listed_markets.settlement_value
        end as yes_payout
    from listed_markets
    inner join markets on listed_markets.ticker = markets.slug

),

contracts as (

    select
        market_id,
        concat(market_id, ':yes') as contract_id,
        'Yes' as outcome,
        cast(0 as int64) as outcome_index,
        yes_payout as payout,
        bid,
        ask,
        last_price,
        observed_at
    from settled
    union all
    select
        market_id,
        concat(market_id, ':no') as contract_id,
        'No' as outcome,
        cast(1 as int64) as outcome_index,
        cast(1 - yes_payout as {{ money_type() }}) as payout,
        cast(1 - ask as {{ money_type() }}) as bid,
        cast(1 - bid as {{ money_type() }}) as ask,
        cast(1 - last_price as {{ money_type() }}) as last_price,
        observed_at
    from settled

)

select * from contracts
