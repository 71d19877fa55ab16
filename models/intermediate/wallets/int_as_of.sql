{#- A moment that cannot be read must stop the build: as null it would empty every table. -#}
{% if var('as_of') is not none -%}
    {%- do modules.datetime.datetime.fromisoformat(var('as_of') | string) -%}
{%- endif -%}
{% set as_of = 'newest.as_of' if var('as_of') is none else parse_timestamp("'" ~ var('as_of') ~ "'") -%}

with polymarket_walks as (

    select venue_time from {{ ref('stg_polymarket__walks') }}
    where status = 'completed'

),

dome_walks as (

    select venue_time from {{ ref('stg_dome__walks') }}
    where status = 'completed'

),

walks as (

    select * from polymarket_walks
    union all
    select * from dome_walks

),

newest as (

    -- A new warehouse has no walks; its tables are empty at any moment.
    select coalesce(max(venue_time), {{ epoch_timestamp("'0'") }}) as as_of
    from walks

),

moment as (

    select {{ as_of }} as as_of
    from newest

)

select * from moment
