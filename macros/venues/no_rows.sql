{#- A query of no rows: a union over no venues still needs its columns.
    Args: columns: type by name. -#}
{% macro no_rows(columns) -%}
    select
        {%- for name, type in columns.items() %}
        cast(null as {{ type }}) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from (select 1 as nothing) as nothing
    where nothing.nothing = 0
{%- endmacro %}
