{#- The distinct elements of a text array, sorted, as one text with commas between; empty where there is none. -#}
{% macro join_distinct(array) -%}
    {{ return(adapter.dispatch('join_distinct', 'polyomega')(array)) }}
{%- endmacro %}

{% macro default__join_distinct(array) -%}
    {{ exceptions.raise_compiler_error("join_distinct is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__join_distinct(array) -%}
    coalesce(
        array_to_string(array(select distinct element from unnest({{ array }}) as element order by element), ','),
        ''
    )
{%- endmacro %}

{% macro duckdb__join_distinct(array) -%}
    coalesce(array_to_string(list_sort(list_distinct({{ array }})), ','), '')
{%- endmacro %}
