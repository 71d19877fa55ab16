{#- The engine's 64-bit float, for ratios. Money is numeric(38, 9), never this. -#}
{% macro double_type() -%}
    {{ return(adapter.dispatch('double_type', 'polyomega')()) }}
{%- endmacro %}

{% macro default__double_type() -%}
    {{ exceptions.raise_compiler_error("double_type is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__double_type() -%} {{ return('float64') }} {%- endmacro %}

{% macro duckdb__double_type() -%} {{ return('double') }} {%- endmacro %}
