{#- What the wallet paid for a bought share, without fees; null where it bought none. Aggregate over markets. -#}
{% macro mean_entry_price() -%}
    cast(sum(bought_usd) as {{ double_type() }}) / nullif(cast(sum(shares_bought) as {{ double_type() }}), 0)
{%- endmacro %}
