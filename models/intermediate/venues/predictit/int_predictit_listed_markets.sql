{{
    config(
        materialized='incremental',
        unique_key='market_number',
        incremental_strategy='merge',
        on_schema_change='fail',
        cluster_by=clustering(['market_number']),
        post_hook="{{ remember_loads() }}",
    )
}}

with new_loads as (

    {{ new_loads() }}

),

new_rows as (

    select
        markets.*,
        min(new_loads.committed_at) over (partition by markets.market_number) as first_loaded_at
    from {{ ref('stg_predictit__markets') }} as markets
    inner join new_loads
        on
            markets.load_id = new_loads.load_id
            and new_loads.venue = 'predictit'
    where markets.market_number != ''
    qualify
        row_number() over (
            partition by markets.market_number
            order by markets.fetched_at desc, markets.walk_id desc, markets.walk_position desc
        ) = 1

),

parsed as (

    select
        *,
        {{ json_fields('payload', ['name']) }} as thing
    from new_rows

),

renamed as (

    select
        parsed.market_number,
        parsed.thing.name as title,
        parsed.status,
        parsed.venue_time,

        parsed.first_loaded_at,
        parsed.fetched_at,
        parsed.walk_id,
        parsed.walk_position
    from parsed

),

{{ newest_reading('market_number', [
    'title', 'status', 'venue_time',
]) }}
