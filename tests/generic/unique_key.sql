{#- The key of a table: no row without it, no two rows with the same. One query where `unique` and `not_null` on each
    column would take several.
    Args: columns (list): the key. -#}
{% test unique_key(model, columns) %}
with counted as (

    select
        {{ columns | join(', ') }},
        count(*) as rows_with_key
    from {{ model }}
    group by {{ columns | join(', ') }}

)

select * from counted
where
    rows_with_key > 1
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
