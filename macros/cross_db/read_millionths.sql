{#- A text with a whole number of millionths as an amount; null where it is no whole number, or one of 10^18 or more. -#}
{% macro read_millionths(text) -%}
    {{ return(adapter.dispatch('read_millionths', 'polyomega')(text)) }}
{%- endmacro %}

{% macro default__read_millionths(text) -%}
    {{ exceptions.raise_compiler_error("read_millionths is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__read_millionths(text) -%}
    {%- set number = read_integer(text) -%}
    if(
        {{ number }} between -999999999999999999 and 999999999999999999,
        {{ number }} * cast('0.000001' as numeric),
        null
    )
{%- endmacro %}

{% macro duckdb__read_millionths(text) -%}
    try_cast({{ read_integer(text) }} * cast('0.000001' as {{ amount_type() }}) as {{ amount_type() }})
{%- endmacro %}
