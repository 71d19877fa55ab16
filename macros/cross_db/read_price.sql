{#- A text with a price, to 17 decimals, half away from zero: all digits of a double between 0 and 1. Null where it is no
    number, or one of 10 or more. -#}
{% macro read_price(text) -%}
    {{ return(adapter.dispatch('read_price', 'polyomega')(text)) }}
{%- endmacro %}

{% macro default__read_price(text) -%}
    {{ exceptions.raise_compiler_error("read_price is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__read_price(text) -%}
    {%- set rounded -%} round(safe_cast({{ text }} as bignumeric), 17) {%- endset -%}
    if(abs({{ rounded }}) < 10, {{ rounded }}, null)
{%- endmacro %}

{#- DuckDB takes an underscore between digits, and rounds what an exponent makes smaller than the last decimal up. -#}
{% macro duckdb__read_price(text) -%}
    case
        when contains({{ text }}, '_') then null
        when contains(lower({{ text }}), 'e-') and abs(try_cast({{ text }} as double)) < 5e-18 then 0
        else try_cast({{ text }} as {{ price_type() }})
    end
{%- endmacro %}
