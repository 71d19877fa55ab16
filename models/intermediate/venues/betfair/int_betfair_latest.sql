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

{{ latest_rows('betfair', {
    'markets': 'market_number',
    'books': 'market_number',
}) }}
