{#- The product of two decimals with 18 digits after the point, in the type of exact_type(). A plain product would be
    rounded to 9 digits by BigQuery, and cast to the wide type first it would leave DuckDB too few digits before the
    point. -#}
{% macro exact_product(left, right) -%}
    {{ return(adapter.dispatch('exact_product', 'polyomega')(left, right)) }}
{%- endmacro %}

{% macro default__exact_product(left, right) -%}
    {{ exceptions.raise_compiler_error("exact_product is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__exact_product(left, right) -%}
    (cast({{ left }} as bignumeric) * {{ right }})
{%- endmacro %}

{% macro duckdb__exact_product(left, right) -%}
    cast({{ left }} * {{ right }} as {{ exact_type() }})
{%- endmacro %}
