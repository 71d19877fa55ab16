{#- The moment `minutes` after `timestamp`; a whole number. -#}
{% macro timestamp_plus_minutes(timestamp, minutes) -%}
    {{ return(adapter.dispatch('timestamp_plus_minutes', 'polyomega')(timestamp, minutes)) }}
{%- endmacro %}

{% macro default__timestamp_plus_minutes(timestamp, minutes) -%}
    {{ exceptions.raise_compiler_error("timestamp_plus_minutes is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__timestamp_plus_minutes(timestamp, minutes) -%}
    timestamp_add({{ timestamp }}, interval {{ minutes }} minute)
{%- endmacro %}

{% macro duckdb__timestamp_plus_minutes(timestamp, minutes) -%}
    ({{ timestamp }} + to_minutes({{ minutes }}))
{%- endmacro %}
