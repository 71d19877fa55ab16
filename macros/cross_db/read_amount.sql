{#- A text with an amount of shares or US dollars, to the millionth that the chain counts in, half away from zero; null
    where it is no number, or one of a million million or more. -#}
{% macro read_amount(text) -%}
    {{ return(adapter.dispatch('read_amount', 'polyomega')(text)) }}
{%- endmacro %}

{% macro default__read_amount(text) -%}
    {{ exceptions.raise_compiler_error("read_amount is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__read_amount(text) -%}
    {%- set rounded -%} round(safe_cast({{ text }} as bignumeric), 6) {%- endset -%}
    cast(if(abs({{ rounded }}) < 1000000000000, {{ rounded }}, null) as numeric)
{%- endmacro %}

{#- DuckDB takes an underscore between digits, and rounds what an exponent makes smaller than the last decimal up. -#}
{% macro duckdb__read_amount(text) -%}
    case
        when contains({{ text }}, '_') then null
        when contains(lower({{ text }}), 'e-') and abs(try_cast({{ text }} as double)) < 0.0000005 then 0
        else try_cast({{ text }} as {{ amount_type() }})
    end
{%- endmacro %}
