{#- What a bought share paid at resolution beyond its price; null where none was bought. Aggregate over markets. -#}
{% macro entry_edge() -%}
    cast(sum(bought_worth_usd) - sum(bought_usd) as {{ double_type() }})
        / nullif(cast(sum(shares_bought) as {{ double_type() }}), 0)
{%- endmacro %}
