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

all_loads as (

    select * from polymarket
    union all
    select * from dome

)

select * from all_loads
