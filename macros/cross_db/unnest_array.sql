{#- A `cross join` that gives one row per element of an array of the row before it, with the element's place from 0.
    Both are columns of `alias`. -#}
{% macro unnest_array(array, element, position, alias) -%}
    {{ return(adapter.dispatch('unnest_array', 'polyomega')(array, element, position, alias)) }}
{%- endmacro %}

{% macro default__unnest_array(array, element, position, alias) -%}
    {{ exceptions.raise_compiler_error("unnest_array is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__unnest_array(array, element, position, alias) -%}
    cross join unnest(
        array(
            select as struct
                {{ element }},
                {{ position }}
            from unnest({{ array }}) as {{ element }} with offset as {{ position }}
        )
    ) as {{ alias }}
{%- endmacro %}

{% macro duckdb__unnest_array(array, element, position, alias) -%}
    cross join lateral (
        select
            unnest({{ array }}) as {{ element }},
            unnest(range(len({{ array }}))) as {{ position }}
    ) as {{ alias }}
{%- endmacro %}
