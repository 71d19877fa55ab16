{#- The middle of bid and ask; null where one of them is missing. Exact: a division would go through a float on DuckDB. -#}
{% macro mid_price(bid, ask) -%}
    cast(
        {{ exact_product('(' ~ bid ~ ' + ' ~ ask ~ ')', "cast('0.5' as " ~ money_type() ~ ")") }} as {{ money_type() }}
    )
{%- endmacro %}
