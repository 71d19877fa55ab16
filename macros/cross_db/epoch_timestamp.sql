{#- UNIX seconds, as text or whole number, to UTC time; null where it is no such number, or one outside of the years 1 to
    9999, at which the engines' own functions fail. -#}
{% macro epoch_timestamp(seconds) -%}
    {{ return(adapter.dispatch('epoch_timestamp', 'polyomega')(seconds)) }}
{%- endmacro %}

{% macro default__epoch_timestamp(seconds) -%}
    {{ exceptions.raise_compiler_error("epoch_timestamp is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__epoch_timestamp(seconds) -%}
    {%- set number = read_integer(seconds) -%}
    timestamp_seconds(if({{ number }} between -62135596800 and 253402300799, {{ number }}, null))
{%- endmacro %}

{#- make_timestamp counts microseconds. -#}
{% macro duckdb__epoch_timestamp(seconds) -%}
    {%- set number = read_integer(seconds) -%}
    make_timestamp(
        case when {{ number }} between -62135596800 and 253402300799 then {{ number }} * 1000000 end
    )
{%- endmacro %}
