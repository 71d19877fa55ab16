{{ config(materialized='view') }}

with all_prices as (

    {{ union_venues('prices', {
        'market_id': 'string',
        'contract_id': 'string',
        'source': 'string',
        'fidelity': 'string',
        'snapshot_time': 'timestamp',
        'venue_time': 'timestamp',
        'bid': money_type(),
        'ask': money_type(),
        'last_price': money_type(),
        'volume': money_type(),
        'period_volume': money_type(),
        'volume_unit': 'string',
        'market_status': 'string',
        'fetched_at': 'timestamp',
        'walk_id': 'string',
        'walk_position': 'int64',
        'load_id': 'string',
    }, more=['polymarket']) }}

),

-- Whatever venue it is: what names no contract, or states no price, is no price; nor is what an observation shows of a
-- market that does not trade.
stated as (

    select * from all_prices
    where
        contract_id is not null
        and coalesce(bid, ask, last_price) is not null
        and (fidelity != 'observed' or market_status is not null)

)

select * from stated
