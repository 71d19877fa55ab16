{#- Gains of the winning days over losses of the losing days, by the day of resolution; null without a losing day.
    Aggregate over days. -#}
{% macro profit_factor() -%}
    cast(sum(greatest(pnl_usd, 0)) as {{ double_type() }})
        / nullif(cast(sum(greatest(-pnl_usd, 0)) as {{ double_type() }}), 0)
{%- endmacro %}
