{{
    config(
        materialized='incremental',
        unique_key=['venue', 'run_id', 'load_id'],
        incremental_strategy='merge',
        on_schema_change='fail',
        post_hook="{{ remember_loads() }}",
    )
}}

{%- set day = first_fetch() -%}

with new_loads as (

    {{ new_loads() }}

),

polymarket_walks as (

    select * from {{ ref('stg_polymarket__walks') }}
    where {{ fetched_since('ended_at', day) }}

),

dome_walks as (

    select * from {{ ref('stg_dome__walks') }}
    where {{ fetched_since('ended_at', day) }}

),

venue_walks as (

    select * from {{ ref('stg_venues__walks') }}

),

run_loads as (

    select distinct
        new_loads.venue,
        polymarket_walks.run_id,
        new_loads.load_id,
        new_loads.committed_at
    from polymarket_walks
    inner join new_loads
        on
            polymarket_walks.load_id = new_loads.load_id
            and new_loads.venue = 'polymarket'
    union all
    select distinct
        new_loads.venue,
        dome_walks.run_id,
        new_loads.load_id,
        new_loads.committed_at
    from dome_walks
    inner join new_loads
        on
            dome_walks.load_id = new_loads.load_id
            and new_loads.venue = 'dome'
    union all
    select distinct
        new_loads.venue,
        venue_walks.run_id,
        new_loads.load_id,
        new_loads.committed_at
    from venue_walks
    inner join new_loads
        on
            venue_walks.load_id = new_loads.load_id
            and venue_walks.venue = new_loads.venue

)

select * from run_loads
