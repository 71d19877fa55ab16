{#- The type of money in tables, for casts: 29 digits before the point and 9 after it. A contract spells it
    numeric(38, 9) on every engine. -#}
{% macro money_type() -%}
    {{ return(adapter.dispatch('money_type', 'polyomega')()) }}
{%- endmacro %}

{% macro default__money_type() -%}
    {{ exceptions.raise_compiler_error("money_type is not implemented for " ~ target.type) }}
{%- endmacro %}

{#- The same 38 digits, 9 after the point; BigQuery takes no digits in a cast. -#}
{% macro bigquery__money_type() -%} {{ return('numeric') }} {%- endmacro %}

{#- A bare numeric would keep 3 decimals. -#}
{% macro duckdb__money_type() -%} {{ return('numeric(38, 9)') }} {%- endmacro %}
