{{ config(materialized='view') }}

with polymarket_walks as (

    select * from {{ ref('stg_polymarket__walks') }}
    where resource in ('trades', 'activity')

),

dome_walks as (

    select * from {{ ref('stg_dome__walks') }}
    where resource in ('orders', 'activity')

),

all_walks as (

    select * from polymarket_walks
    union all
    select * from dome_walks

),

wallet_walks as (

    select
        walk_id,
        venue,
        -- Dome calls a wallet's fills its orders.
        case resource when 'orders' then 'trades' else resource end as resource,
        scope as wallet_address,
        status,
        error,
        duration_ms,
        -- No lower bound is the whole history. A walk without an upper bound saw what there was at its first answer.
        coalesce(bound_from, {{ epoch_timestamp("'0'") }}) as covered_from,
        coalesce(least(bound_to, venue_time), venue_time, bound_to) as covered_to,
        newest_item_at,
        started_at,
        ended_at,
        load_id
    from all_walks

)

select * from wallet_walks
