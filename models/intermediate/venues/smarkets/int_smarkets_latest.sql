{{
    config(
        materialized='incremental',
        unique_key='thing_key',
        incremental_strategy='merge',
        on_schema_change='fail',
        cluster_by=clustering(['thing_key']),
        post_hook="{{ remember_loads() }}",
    )
}}

{{ latest_rows('smarkets', {
    'events': 'event_number',
    'markets': 'market_number',
    'contracts': 'contract_number',
    'quotes': 'contract_number',
    'last_prices': 'contract_number',
    'volumes': 'market_number',
}) }}
