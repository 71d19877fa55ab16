{#- What clocks in New York show at a UTC time, as if it were UTC: 17:00 in winter is 12:00. -#}
{% macro eastern_clock(timestamp) -%}
    {{ return(adapter.dispatch('eastern_clock', 'polyomega')(timestamp)) }}
{%- endmacro %}

{% macro default__eastern_clock(timestamp) -%}
    {{ exceptions.raise_compiler_error("eastern_clock is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__eastern_clock(timestamp) -%}
    timestamp(datetime({{ timestamp }}, 'America/New_York'))
{%- endmacro %}

{% macro duckdb__eastern_clock(timestamp) -%}
    timezone('America/New_York', timezone('UTC', {{ timestamp }}))
{%- endmacro %}
