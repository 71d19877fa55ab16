{#- The metrics that stand beside omega, in the order of the public columns: by what they are aggregates over, name and
    expression. `markets` are rows of wallet_market_pnl, `days` those on which markets resolved, `events` what markets of
    one event turned over together. To add a metric, write its macro and name it here. -#}
{% macro metric_groups() -%}
    {{ return({
        'markets': {
            'mean_entry_price': mean_entry_price(),
            'entry_edge': entry_edge(),
            'brier_score': brier_score(),
            'mean_holding_days': mean_holding_days(),
        },
        'days': {
            'profit_factor': profit_factor(),
            'max_drawdown_usd': max_drawdown_usd(),
        },
        'events': {
            'top_event_share': top_event_share(),
        },
    }) }}
{%- endmacro %}
