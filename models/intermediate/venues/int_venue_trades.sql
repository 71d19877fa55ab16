{{ config(materialized='view') }}

{%- set columns = {
    'trade_id': 'string',
    'source': 'string',
    'market_id': 'string',
    'event_slug': 'string',
    'contract_id': 'string',
    'outcome': 'string',
    'side': 'string',
    'price': money_type(),
    'shares': money_type(),
    'usd_value': money_type(),
    'traded_at': 'timestamp',
    'fetched_at': 'timestamp',
    'walk_id': 'string',
    'walk_position': 'int64',
    'load_id': 'string',
} %}

-- Kalshi alone publishes its trades one by one.
with trades as (

    {% if 'kalshi' in price_venues() -%}
    select
        'kalshi' as venue,
        {{ columns | join(',\n        ') }}
    from {{ ref('int_kalshi_trades') }}
    {%- else -%}
    {{ no_rows(dict({'venue': 'string'}, **columns)) }}
    {%- endif %}

)

select * from trades
