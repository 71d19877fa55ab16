{#- UNIX seconds, as text or whole number, to UTC time; null where it is no such number. -#}
{% macro epoch_timestamp(seconds) -%}
    {{ return(adapter.dispatch('epoch_timestamp', 'polyomega')(seconds)) }}
{%- endmacro %}

{% macro default__epoch_timestamp(seconds) -%}
    {{ exceptions.raise_compiler_error("epoch_timestamp is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__epoch_timestamp(seconds) -%}
    timestamp_seconds(safe_cast({{ seconds }} as int64))
{%- endmacro %}

{#- make_timestamp counts microseconds. -#}
{% macro duckdb__epoch_timestamp(seconds) -%}
    make_timestamp(try_cast({{ seconds }} as bigint) * 1000000)
{%- endmacro %}
