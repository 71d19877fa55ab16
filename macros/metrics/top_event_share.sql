{#- Share of the largest event in all gains and losses, 0 to 1; null where nothing was won or lost. Aggregate over
    events. -#}
{% macro top_event_share() -%}
    cast(max(turnover_usd) as {{ double_type() }}) / nullif(cast(sum(turnover_usd) as {{ double_type() }}), 0)
{%- endmacro %}
