{#- Names of the metrics that score_metrics() reckons, in the order of the public columns, with commas between. -#}
{% macro score_metric_names() -%}
    mean_entry_price,entry_edge,brier_score,mean_holding_days,profit_factor,max_drawdown_usd,top_event_share
{%- endmacro %}
