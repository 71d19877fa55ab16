{#- Number of elements of an array; 0 where it is null. -#}
{% macro array_size(array) -%}
    {{ return(adapter.dispatch('array_size', 'polyomega')(array)) }}
{%- endmacro %}

{% macro default__array_size(array) -%}
    {{ exceptions.raise_compiler_error("array_size is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__array_size(array) -%} coalesce(array_length({{ array }}), 0) {%- endmacro %}

{% macro duckdb__array_size(array) -%} coalesce(len({{ array }}), 0) {%- endmacro %}
