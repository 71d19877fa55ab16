{#- The end of an incremental model that keeps the row of each thing that was read last, whatever the order in which
    loads are committed: the new rows of the CTE `renamed`, and those that the table has of the same things.
    Args:
        key: column that names the thing.
        columns: the other columns, without first_loaded_at, fetched_at, walk_id and walk_position. -#}
{% macro newest_reading(key, columns) -%}
readings as (

    select * from renamed
    {%- if is_incremental() %}
    union all
    select * from {{ this }}
    where {{ key }} in (select renamed.{{ key }} from renamed)
    {%- endif %}

),

newest as (

    select
        {{ key }},
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        min(first_loaded_at) over (partition by {{ key }}) as first_loaded_at,
        fetched_at,
        walk_id,
        walk_position
    from readings
    qualify
        row_number() over (
            partition by {{ key }}
            order by fetched_at desc, walk_id desc, walk_position desc
        ) = 1

)

select * from newest
{%- endmacro %}
