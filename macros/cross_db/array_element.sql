{#- The element at a position counted from 0; null beyond the end. -#}
{% macro array_element(array, position) -%}
    {{ return(adapter.dispatch('array_element', 'polyomega')(array, position)) }}
{%- endmacro %}

{% macro default__array_element(array, position) -%}
    {{ exceptions.raise_compiler_error("array_element is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__array_element(array, position) -%}
    {{ array }}[safe_offset({{ position }})]
{%- endmacro %}

{#- DuckDB counts from 1, and from the end for negative positions, which nobody asks for here. -#}
{% macro duckdb__array_element(array, position) -%}
    list_extract({{ array }}, {{ position }} + 1)
{%- endmacro %}
