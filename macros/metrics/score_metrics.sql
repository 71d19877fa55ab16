{#- The query behind `int_score_metrics` and `int_score_metrics_by_category`: one row per wallet (and category) and period
    in which it has a scored market. metric_groups() names the metrics.
    Args: by_category: whether the category is part of the key. -#}
{% macro score_metrics(by_category) -%}
{%- set key = ['wallet_address', 'category', 'period'] if by_category else ['wallet_address', 'period'] -%}
{%- set groups = metric_groups() -%}
{%- set market_metrics = groups.markets -%}
{%- set day_metrics = groups.days -%}
{%- set event_metrics = groups.events -%}
with pnl as (

    select * from {{ ref('wallet_market_pnl') }}
    where is_scored

),

periods as (

    {{ periods() }}

),

resolved as (

    select
        pnl.*,
        periods.period
    from pnl
    inner join periods
        on
            pnl.resolved_at > periods.resolved_after
            and pnl.resolved_at <= periods.as_of

),

over_markets as (

    select
        {{ key | join(',\n        ') }},
        {%- for name, expression in market_metrics.items() %}
        {{ expression }} as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from resolved
    group by {{ key | join(', ') }}

),

daily as (

    select
        {{ key | join(',\n        ') }},
        cast(resolved_at as date) as resolved_on,
        sum(resolved_pnl) as pnl_usd
    from resolved
    group by {{ key | join(', ') }}, cast(resolved_at as date)

),

curve as (

    select
        *,
        sum(pnl_usd) over (
            partition by {{ key | join(', ') }}
            order by resolved_on
            rows between unbounded preceding and current row
        ) as cumulative_usd
    from daily

),

days as (

    select
        *,
        greatest(
            max(cumulative_usd) over (
                partition by {{ key | join(', ') }}
                order by resolved_on
                rows between unbounded preceding and current row
            ),
            0
        ) - cumulative_usd as drawdown_usd
    from curve

),

over_days as (

    select
        {{ key | join(',\n        ') }},
        {%- for name, expression in day_metrics.items() %}
        {{ expression }} as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from days
    group by {{ key | join(', ') }}

),

top_events as (

    select
        {{ key | join(',\n        ') }},
        coalesce(event_slug, market_id) as event_slug,
        sum(abs(resolved_pnl)) as turnover_usd
    from resolved
    group by {{ key | join(', ') }}, coalesce(event_slug, market_id)

),

over_events as (

    select
        {{ key | join(',\n        ') }},
        {%- for name, expression in event_metrics.items() %}
        {{ expression }} as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from top_events
    group by {{ key | join(', ') }}

),

metrics as (

    select
        {%- for column in key %}
        over_markets.{{ column }},
        {%- endfor %}
        {%- for name in market_metrics %}
        over_markets.{{ name }},
        {%- endfor %}
        {%- for name in day_metrics %}
        over_days.{{ name }},
        {%- endfor %}
        {%- for name in event_metrics %}
        over_events.{{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from over_markets
    inner join over_days
        on
            {%- for column in key %}
            {{ "and " if not loop.first }}over_markets.{{ column }} = over_days.{{ column }}
            {%- endfor %}
    inner join over_events
        on
            {%- for column in key %}
            {{ "and " if not loop.first }}over_markets.{{ column }} = over_events.{{ column }}
            {%- endfor %}

)

select * from metrics
{%- endmacro %}
