{#- A price with all the digits that a venue sends. -#}
{% macro price_type() -%}
    {{ return(adapter.dispatch('price_type', 'polyomega')()) }}
{%- endmacro %}

{% macro default__price_type() -%}
    {{ exceptions.raise_compiler_error("price_type is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__price_type() -%} {{ return('bignumeric') }} {%- endmacro %}

{#- All digits of a double between 0 and 1, in a 64-bit integer: reading a wider decimal from text takes ten times as
    long. -#}
{% macro duckdb__price_type() -%} {{ return('decimal(18, 17)') }} {%- endmacro %}
