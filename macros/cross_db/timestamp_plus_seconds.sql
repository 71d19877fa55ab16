{#- The moment `seconds` after `timestamp`; before it, where they are negative. -#}
{% macro timestamp_plus_seconds(timestamp, seconds) -%}
    {{ return(adapter.dispatch('timestamp_plus_seconds', 'polyomega')(timestamp, seconds)) }}
{%- endmacro %}

{% macro default__timestamp_plus_seconds(timestamp, seconds) -%}
    {{ exceptions.raise_compiler_error("timestamp_plus_seconds is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__timestamp_plus_seconds(timestamp, seconds) -%}
    timestamp_add({{ timestamp }}, interval {{ seconds }} second)
{%- endmacro %}

{% macro duckdb__timestamp_plus_seconds(timestamp, seconds) -%}
    ({{ timestamp }} + to_seconds({{ seconds }}))
{%- endmacro %}
