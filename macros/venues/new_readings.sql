{#- The begin of an incremental model that keeps the row of each thing that was read last, to which newest_reading() is the
    end: the loads that it has still to take in (CTE `new_loads`), and of what they tell the newest row of each thing
    (CTE `new_rows`), with the time since which it is there (`first_loaded_at`).
    Args:
        rows: staging model, or CTE, with fetched_at, walk_id, walk_position and load_id.
        venue: whose loads they are.
        key: column that names the thing; rows without a name are left out.
        is_bounded: `rows` are of the days already that this model has still to read. -#}
{% macro new_readings(rows, venue, key, is_bounded=false) -%}
{%- set day = none if is_bounded else first_fetch() -%}
new_loads as (

    {{ new_loads() }}

),

new_rows as (

    select
        readings.*,
        min(new_loads.committed_at) over (partition by readings.{{ key }}) as first_loaded_at
    from {{ rows }} as readings
    inner join new_loads
        on
            readings.load_id = new_loads.load_id
            and new_loads.venue = '{{ venue }}'
    where
        readings.{{ key }} != ''
        and {{ fetched_since('readings.fetched_at', day) }}
    qualify
        row_number() over (
            partition by readings.{{ key }}
            order by readings.fetched_at desc, readings.walk_id desc, readings.walk_position desc
        ) = 1

)
{%- endmacro %}
