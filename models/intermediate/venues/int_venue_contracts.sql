{{ config(materialized='view') }}

with all_contracts as (

    {{ union_venues('contracts', {
        'market_id': 'string',
        'contract_id': 'string',
        'outcome': 'string',
        'outcome_index': 'int64',
        'payout': money_type(),
        'bid': money_type(),
        'ask': money_type(),
        'last_price': money_type(),
        'observed_at': 'timestamp',
    }) }}

)

select * from all_contracts
