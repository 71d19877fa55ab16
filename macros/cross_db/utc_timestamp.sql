{#- A raw time as the `timestamp` of models: UTC, without a zone on DuckDB, whatever the session's zone is. -#}
{% macro utc_timestamp(column) -%}
    {{ return(adapter.dispatch('utc_timestamp', 'polyomega')(column)) }}
{%- endmacro %}

{% macro default__utc_timestamp(column) -%}
    {{ exceptions.raise_compiler_error("utc_timestamp is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__utc_timestamp(column) -%} {{ column }} {%- endmacro %}

{% macro duckdb__utc_timestamp(column) -%} timezone('UTC', {{ column }}) {%- endmacro %}
