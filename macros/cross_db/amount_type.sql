{#- An amount of shares or US dollars as it is on chain: whole millionths. Only for reading; tables hold
    numeric(38, 9). -#}
{% macro amount_type() -%}
    {{ return(adapter.dispatch('amount_type', 'polyomega')()) }}
{%- endmacro %}

{% macro default__amount_type() -%}
    {{ exceptions.raise_compiler_error("amount_type is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__amount_type() -%} {{ return('numeric') }} {%- endmacro %}

{#- In a 64-bit integer: reading a wider decimal from text takes fifty times as long. -#}
{% macro duckdb__amount_type() -%} {{ return('decimal(18, 6)') }} {%- endmacro %}
