with polymarket as (

    select
        'polymarket' as venue,
        load_id,
        committed_at
    from {{ ref('stg_polymarket__loads') }}

),

dome as (

    select
        'dome' as venue,
        load_id,
        committed_at
    from {{ ref('stg_dome__loads') }}

),

venues as (

    select
        venue,
        load_id,
        committed_at
    from {{ ref('stg_venues__loads') }}

),

all_loads as (

    select * from polymarket
    union all
    select * from dome
    union all
    select * from venues

)

select * from all_loads
