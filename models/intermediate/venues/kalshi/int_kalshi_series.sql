{{
    config(
        materialized='incremental',
        unique_key='series_ticker',
        incremental_strategy='merge',
        on_schema_change='fail',
        cluster_by=clustering(['series_ticker']),
        post_hook="{{ remember_loads() }}",
    )
}}

with {{ new_readings(ref('stg_kalshi__series'), 'kalshi', 'series_ticker') }},

renamed as (

    select
        new_rows.series_ticker,
        new_rows.title,
        new_rows.category,

        new_rows.first_loaded_at,
        new_rows.fetched_at,
        new_rows.walk_id,
        new_rows.walk_position
    from new_rows

),

{{ newest_reading('series_ticker', [
    'title', 'category',
]) }}
