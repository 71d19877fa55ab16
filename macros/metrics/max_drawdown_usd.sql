{#- Furthest that the daily curve of resolved profits fell below its peak, US dollars. Aggregate over days. -#}
{% macro max_drawdown_usd() -%}
    cast(max(drawdown_usd) as {{ money_type() }})
{%- endmacro %}
