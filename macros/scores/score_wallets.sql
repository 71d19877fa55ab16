{#- The query behind `wallet_scores` and `wallet_scores_by_category`: one row per wallet, category and period, or per
    wallet and period. docs/scores.md derives every number.
    Args: by_category: whether the category is part of the key. -#}
{% macro score_wallets(by_category) -%}
{%- set key = ['wallet_address', 'category', 'period'] if by_category else ['wallet_address', 'period'] -%}
{%- set pool_key = ['category', 'period'] if by_category else ['period'] -%}
{%- set metric_names = [] -%}
{%- for group in metric_groups().values() %}{% do metric_names.extend(group.keys()) %}{% endfor -%}
{%- set columns = key + [
    'omega_status', 'withheld_reason', 'resolved_markets', 'wins', 'losses', 'total_gains', 'total_losses', 'total_pnl',
    'omega_ratio', 'omega_low', 'omega_high', 'omega_shrunk', 'effective_markets', 'win_rate', 'roi',
] + metric_names + ['as_of'] -%}
with pnl as (

    select * from {{ ref('wallet_market_pnl') }}

),

coverage as (

    select * from {{ ref('int_wallet_coverage') }}

),

periods as (

    {{ periods() }}

),

metrics as (

    select * from {{ ref('int_score_metrics_by_category' if by_category else 'int_score_metrics') }}

),

-- Whole is what was read to its beginning without a gap: the fills, and the ledger that tells of splits, merges and
-- conversions, without which a balance that does not hold would look as if it did.
whole_histories as (

    select
        venue,
        wallet_address,
        sum(case when resource in ('trades', 'activity') and is_complete then 1 else 0 end) = 2 as is_complete
    from coverage
    group by venue, wallet_address

),

-- One venue's whole history is enough.
complete_wallets as (

    select
        wallet_address,
        max(case when is_complete then 1 else 0 end) = 1 as is_complete
    from whole_histories
    group by wallet_address

),

-- Every wallet that ever held anything has a row, so that nobody has to guess why one is missing.
wallets as (

    select distinct
        pnl.wallet_address{{ ",\n        pnl.category" if by_category }}
    from pnl

),

resolved as (

    select
        pnl.wallet_address,
        pnl.category,
        periods.period,
        {% if var('omega_unit') == 'event' -%}
        coalesce(pnl.event_slug, pnl.market_id) as observation,
        {%- else -%}
        pnl.market_id as observation,
        {%- endif %}
        pnl.is_scored,
        pnl.resolved_pnl,
        pnl.stake_usd
    from pnl
    inner join periods
        on
            pnl.resolved_at > periods.resolved_after
            and pnl.resolved_at <= periods.as_of
    where
        pnl.is_scored
        or pnl.not_scored_reason = 'ledger_break'

),

observations as (

    {% if var('omega_unit') == 'event' -%}
    select
        {{ key | join(',\n        ') }},
        observation,
        is_scored,
        sum(resolved_pnl) as resolved_pnl,
        sum(stake_usd) as stake_usd
    from resolved
    group by {{ key | join(', ') }}, observation, is_scored
    {%- else -%}
    select
        {{ key | join(',\n        ') }},
        observation,
        is_scored,
        resolved_pnl,
        stake_usd
    from resolved
    {%- endif %}

),

-- Sums are exact decimals, so that no order of the rows can change them; where only a ratio needs a sum, it becomes a
-- float here, once.
summed as (

    select
        {{ key | join(',\n        ') }},
        count(case when is_scored then 1 end) as resolved_markets,
        count(case when is_scored and resolved_pnl > 0 then 1 end) as wins,
        count(case when is_scored and resolved_pnl < 0 then 1 end) as losses,
        sum(case when is_scored then greatest(resolved_pnl, 0) else 0 end) as total_gains,
        sum(case when is_scored then greatest(-resolved_pnl, 0) else 0 end) as total_losses,
        cast(
            sum(case when is_scored and resolved_pnl > 0 then {{ exact_product('resolved_pnl', 'resolved_pnl') }} else 0 end)
            as {{ double_type() }}
        ) as gains_squared,
        cast(
            sum(case when is_scored and resolved_pnl < 0 then {{ exact_product('resolved_pnl', 'resolved_pnl') }} else 0 end)
            as {{ double_type() }}
        ) as losses_squared,
        sum(case when is_scored then stake_usd else 0 end) as stake_usd,
        sum(case when is_scored then 0 else stake_usd end) as unscored_stake_usd
    from observations
    group by {{ key | join(', ') }}

),

pooled as (

    select
        {{ pool_key | join(',\n        ') }},
        cast(sum(total_gains) as {{ double_type() }})
        / nullif(cast(sum(total_losses) as {{ double_type() }}), 0) as pooled_omega
    from summed
    group by {{ pool_key | join(', ') }}

),

measured as (

    select
        wallets.wallet_address,
        {% if by_category -%}
        wallets.category,
        {% endif -%}
        periods.period,
        periods.as_of,
        coalesce(complete_wallets.is_complete, false) as is_complete,
        coalesce(summed.resolved_markets, 0) as resolved_markets,
        coalesce(summed.wins, 0) as wins,
        coalesce(summed.losses, 0) as losses,
        coalesce(summed.total_gains, 0) as total_gains,
        coalesce(summed.total_losses, 0) as total_losses,
        coalesce(summed.total_gains - summed.total_losses, 0) as total_pnl,
        coalesce(cast(summed.total_gains as {{ double_type() }}), 0) as gains,
        coalesce(cast(summed.total_losses as {{ double_type() }}), 0) as lost,
        coalesce(summed.gains_squared, 0) as gains_squared,
        coalesce(summed.losses_squared, 0) as losses_squared,
        coalesce(cast(summed.stake_usd as {{ double_type() }}), 0) as stake,
        coalesce(
            summed.unscored_stake_usd
            > {{ exact_product(
                "cast('" ~ var('omega_max_unscored_stake_share') ~ "' as " ~ money_type() ~ ")",
                '(summed.stake_usd + summed.unscored_stake_usd)',
            ) }},
            false
        ) as is_mostly_unscored,
        pooled.pooled_omega
    from wallets
    cross join periods
    left join complete_wallets on wallets.wallet_address = complete_wallets.wallet_address
    left join summed
        on
            wallets.wallet_address = summed.wallet_address
            {% if by_category -%}
            and wallets.category = summed.category
            {% endif -%}
            and periods.period = summed.period
    left join pooled
        on
            periods.period = pooled.period
            {%- if by_category %}
            and wallets.category = pooled.category
            {%- endif %}

),

judged as (

    select
        *,
        case
            when not is_complete then 'history_incomplete'
            when is_mostly_unscored then 'ledger_break'
        end as withheld_reason,
        gains / nullif(lost, 0) as omega,
        -- Of the logarithm of omega; unknown without a gain or without a loss.
        sqrt(
            gains_squared / nullif(gains * gains, 0)
            + losses_squared / nullif(lost * lost, 0)
        ) as se_log,
        {{ var('omega_shrinkage_k') }} * stake / nullif(resolved_markets, 0) as shrinkage_stake
    from measured

),

classified as (

    select
        *,
        case
            when withheld_reason is not null then 'withheld'
            when resolved_markets = 0 then 'no_resolved'
            when total_losses = 0 then 'no_losses'
            when resolved_markets < {{ var('omega_min_markets') }} then 'too_few'
            else 'ok'
        end as omega_status
    from judged

),

scored as (

    select
        *,
        case when omega_status in ('ok', 'too_few') then omega end as omega_ratio,
        case when omega_status in ('ok', 'too_few') then omega * exp(-1.96 * se_log) end as omega_low,
        case when omega_status in ('ok', 'too_few') then omega * exp(1.96 * se_log) end as omega_high,
        case
            when omega_status in ('ok', 'too_few', 'no_losses')
                then (gains + shrinkage_stake * pooled_omega) / nullif(lost + shrinkage_stake, 0)
        end as omega_shrunk
    from classified

),

described as (

    select
        scored.wallet_address,
        {% if by_category -%}
        scored.category,
        {% endif -%}
        scored.period,
        scored.omega_status,
        scored.withheld_reason,
        cast(scored.resolved_markets as int64) as resolved_markets,
        cast(scored.wins as int64) as wins,
        cast(scored.losses as int64) as losses,
        cast(scored.total_gains as {{ money_type() }}) as total_gains,
        cast(scored.total_losses as {{ money_type() }}) as total_losses,
        cast(scored.total_pnl as {{ money_type() }}) as total_pnl,
        scored.omega_ratio,
        scored.omega_low,
        scored.omega_high,
        scored.omega_shrunk,
        (scored.gains + scored.lost) * (scored.gains + scored.lost)
        / nullif(scored.gains_squared + scored.losses_squared, 0) as effective_markets,
        case
            when scored.omega_status != 'withheld'
                then cast(scored.wins as {{ double_type() }}) / nullif(scored.resolved_markets, 0)
        end as win_rate,
        case
            when scored.omega_status != 'withheld'
                then cast(scored.total_pnl as {{ double_type() }}) / nullif(scored.stake, 0)
        end as roi,
        {%- for metric in metric_names %}
        case when scored.omega_status != 'withheld' then metrics.{{ metric }} end as {{ metric }},
        {%- endfor %}
        ln(nullif(scored.omega, 0)) / scored.se_log as z,
        scored.as_of
    from scored
    left join metrics
        on
            scored.wallet_address = metrics.wallet_address
            {% if by_category -%}
            and scored.category = metrics.category
            {% endif -%}
            and scored.period = metrics.period

),

-- One-sided: how likely is so good a ratio where the true one is 1? Without a gain there is nothing to explain.
tested as (

    select
        *,
        case when z is null then 1 else {{ normal_tail('z') }} end as p_value
    from described
    where omega_status = 'ok'

),

ranked as (

    select
        *,
        count(*) over (partition by {{ pool_key | join(', ') }}) as board_size,
        row_number() over (partition by {{ pool_key | join(', ') }} order by p_value, wallet_address) as p_rank,
        row_number() over (
            partition by {{ pool_key | join(', ') }}
            order by omega_low desc nulls last, total_pnl desc, wallet_address asc
        ) as rank
    from tested

),

-- Benjamini and Hochberg: of all wallets with a q-value of at most q, the expected share that is so good by chance is q.
discovered as (

    select
        *,
        least(
            min(p_value * board_size / p_rank) over (
                partition by {{ pool_key | join(', ') }}
                order by p_rank
                rows between current row and unbounded following
            ),
            1
        ) as q_value
    from ranked

),

boards as (

    select
        {{ columns | join(',\n        ') }},
        rank,
        p_value,
        q_value,
        q_value <= {{ var('false_discovery_rate') }} as is_significant
    from discovered

),

others as (

    select
        {{ columns | join(',\n        ') }},
        cast(null as int64) as rank,
        cast(null as {{ double_type() }}) as p_value,
        cast(null as {{ double_type() }}) as q_value,
        cast(null as bool) as is_significant
    from described
    where omega_status != 'ok'

),

scores as (

    select * from boards
    union all
    select * from others

)

select * from scores
{%- endmacro %}
