{#- Whole UNIX seconds of a UTC time. -#}
{% macro unix_seconds(timestamp) -%}
    {{ return(adapter.dispatch('unix_seconds', 'polyomega')(timestamp)) }}
{%- endmacro %}

{% macro default__unix_seconds(timestamp) -%}
    {{ exceptions.raise_compiler_error("unix_seconds is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__unix_seconds(timestamp) -%} unix_seconds({{ timestamp }}) {%- endmacro %}

{#- Millionths of a second are whole numbers; epoch() is a float. -#}
{% macro duckdb__unix_seconds(timestamp) -%} (epoch_us({{ timestamp }}) // 1000000) {%- endmacro %}
