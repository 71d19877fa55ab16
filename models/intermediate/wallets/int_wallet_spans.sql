{{
    config(
        materialized='incremental',
        unique_key=['venue', 'wallet_address', 'resource', 'covered_from'],
        incremental_strategy='merge',
        on_schema_change='fail',
        cluster_by=clustering(['venue', 'wallet_address']),
        post_hook="{{ remember_loads() }}",
    )
}}

{%- set day = first_fetch() -%}

-- Walks come by the million, what they cover does not: nearly always one stretch per wallet that grows. Stretches that
-- grow together keep their rows; inside the larger one they change nothing.
with new_loads as (

    {{ new_loads() }}

),

walks as (

    select * from {{ ref('int_wallet_walks') }}
    where
        status = 'completed'
        and covered_to is not null
        and {{ fetched_since('ended_at', day) }}

),

new_spans as (

    select
        walks.venue,
        walks.wallet_address,
        walks.resource,
        walks.covered_from,
        walks.covered_to,
        walks.newest_item_at,
        walks.started_at as first_started_at,
        walks.ended_at as last_completed_at,
        walks.duration_ms as last_duration_ms
    from walks
    inner join new_loads
        on
            walks.venue = new_loads.venue
            and walks.load_id = new_loads.load_id

),

{% if is_incremental() -%}
touched as (

    select distinct
        venue,
        wallet_address,
        resource
    from new_spans

),

{% endif -%}

spans as (

    select * from new_spans
    {% if is_incremental() -%}
    union all
    select known.*
    from {{ this }} as known
    inner join touched
        on
            known.venue = touched.venue
            and known.wallet_address = touched.wallet_address
            and known.resource = touched.resource
    {%- endif %}

),

joined as (

    {{ join_spans('spans') }}

)

select * from joined
