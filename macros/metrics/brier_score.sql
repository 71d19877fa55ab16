{#- Mean squared distance between the price paid and the payout, each bought outcome one forecast: 0 is perfect, 0.25 what
    a coin does at even prices. Summed as decimals, so that the order of rows cannot matter. Aggregate over markets. -#}
{% macro brier_score() -%}
    cast(sum(cast(squared_error as {{ exact_type() }})) as {{ double_type() }}) / nullif(sum(forecasts), 0)
{%- endmacro %}
