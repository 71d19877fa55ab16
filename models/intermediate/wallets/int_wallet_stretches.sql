{{ config(materialized='view') }}

-- What completed walks cover without a gap, live: walks of loads that the last build did not see are added.
with spans as (

    select * from {{ ref('int_wallet_spans') }}

),

walks as (

    select * from {{ ref('int_wallet_walks') }}
    where
        status = 'completed'
        and covered_to is not null

),

polymarket_loads as (

    select
        'polymarket' as venue,
        load_id
    from {{ ref('stg_polymarket__loads') }}

),

dome_loads as (

    select
        'dome' as venue,
        load_id
    from {{ ref('stg_dome__loads') }}

),

processed_loads as (

    select * from {{ ref('int_processed_loads') }}
    where model = 'int_wallet_spans'

),

all_loads as (

    select * from polymarket_loads
    union all
    select * from dome_loads

),

unseen_loads as (

    select all_loads.*
    from all_loads
    left join processed_loads
        on
            all_loads.venue = processed_loads.venue
            and all_loads.load_id = processed_loads.load_id
    where processed_loads.load_id is null

),

unseen_spans as (

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
    inner join unseen_loads
        on
            walks.venue = unseen_loads.venue
            and walks.load_id = unseen_loads.load_id

),

all_spans as (

    select * from spans
    union all
    select * from unseen_spans

),

joined as (

    {{ join_spans('all_spans') }}

)

select * from joined
