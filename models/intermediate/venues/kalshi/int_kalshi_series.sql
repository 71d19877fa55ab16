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

with new_loads as (

    {{ new_loads() }}

),

new_rows as (

    select
        series.*,
        min(new_loads.committed_at) over (partition by series.series_ticker) as first_loaded_at
    from {{ ref('stg_kalshi__series') }} as series
    inner join new_loads
        on
            series.load_id = new_loads.load_id
            and new_loads.venue = 'kalshi'
    where series.series_ticker != ''
    qualify
        row_number() over (
            partition by series.series_ticker
            order by series.fetched_at desc, series.walk_id desc, series.walk_position desc
        ) = 1

),

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
