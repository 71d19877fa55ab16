{#- The moment `days` times 24 hours before `timestamp`. -#}
{% macro timestamp_minus_days(timestamp, days) -%}
    {{ return(adapter.dispatch('timestamp_minus_days', 'polyomega')(timestamp, days)) }}
{%- endmacro %}

{% macro default__timestamp_minus_days(timestamp, days) -%}
    {{ exceptions.raise_compiler_error("timestamp_minus_days is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__timestamp_minus_days(timestamp, days) -%}
    timestamp_sub({{ timestamp }}, interval 24 * ({{ days }}) hour)
{%- endmacro %}

{% macro duckdb__timestamp_minus_days(timestamp, days) -%}
    ({{ timestamp }} - to_hours(24 * ({{ days }})))
{%- endmacro %}
