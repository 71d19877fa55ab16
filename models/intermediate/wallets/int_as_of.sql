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

    select
        {% if var('as_of') is none -%}
        newest.as_of
        {%- else -%}
        {{ parse_timestamp("'" ~ var('as_of') ~ "'") }} as as_of
        {%- endif %}
    from newest

)

select * from moment
