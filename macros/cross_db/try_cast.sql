{#- A cast that gives null where the value does not fit: one odd value upstream must not stop a build. -#}
{% macro try_cast(expression, type) -%}
    {{ return(adapter.dispatch('try_cast', 'polyomega')(expression, type)) }}
{%- endmacro %}

{% macro default__try_cast(expression, type) -%}
    {{ exceptions.raise_compiler_error("try_cast is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__try_cast(expression, type) -%} safe_cast({{ expression }} as {{ type }}) {%- endmacro %}

{% macro duckdb__try_cast(expression, type) -%} try_cast({{ expression }} as {{ type }}) {%- endmacro %}
