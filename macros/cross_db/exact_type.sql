{#- A decimal wide enough for a price with all its digits, and for the product of two amounts of money. -#}
{% macro exact_type() -%}
    {{ return(adapter.dispatch('exact_type', 'polyomega')()) }}
{%- endmacro %}

{% macro default__exact_type() -%}
    {{ exceptions.raise_compiler_error("exact_type is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__exact_type() -%} {{ return('bignumeric') }} {%- endmacro %}

{#- 18 decimals: times an amount's 9 they make 27, which leaves 11 digits before the point. -#}
{% macro duckdb__exact_type() -%} {{ return('decimal(38, 18)') }} {%- endmacro %}
