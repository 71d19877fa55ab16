{{
    config(
        materialized='incremental',
        unique_key=['wallet_address', 'token_id'],
        incremental_strategy='merge',
        on_schema_change='fail',
        cluster_by=clustering(['wallet_address', 'token_id']),
        post_hook=["{{ remember_loads('trades') }}", "{{ remember_names() }}"],
    )
}}

-- Only increments read these:
-- depends_on: {{ ref('stg_polymarket__trades') }}, {{ ref('stg_polymarket__activity') }}, {{ ref('stg_dome__orders') }}
-- depends_on: {{ ref('int_loads') }}, {{ ref('int_processed_loads') }}

{# A pair's fills lie between its first and its last one that are known, or are new. Of pairs whose market only fills
    name, all are read: another wallet's may name it. -#}
{%- set day = first_fetch('trades') -%}
{%- set months = none -%}
{%- if reads_by_partition() -%}
    {%- set times -%}
        with new_times as (

            {{ new_times('trades', day) }}

        ),

        new_pairs as (

            select distinct
                wallet_address,
                token_id
            from new_times

        ),

        new_names as (

            {{ new_names() }}

        )

        select
            first_at,
            last_at
        from new_times
        union all
        select
            coalesce(totals.first_trade_at, moment.as_of) as first_at,
            -- Of fills after the moment of the scores it is not known how late they are.
            case when totals.later_trades > 0 then timestamp '9999-01-01' else totals.last_trade_at end as last_at
        from {{ this }} as totals
        cross join {{ ref('int_as_of') }} as moment
        left join new_pairs
            on
                totals.wallet_address = new_pairs.wallet_address
                and totals.token_id = new_pairs.token_id
        left join new_names on totals.token_id = new_names.contract_id
        left join {{ ref('int_outcome_names') }} as outcomes on totals.token_id = outcomes.contract_id
        where
            new_pairs.token_id is not null
            or new_names.contract_id is not null
            or outcomes.contract_id is null
            or totals.later_trades > 0
            or totals.last_trade_at > moment.as_of
    {%- endset -%}
    {%- set months = time_stretches(times, 'month') -%}
{%- endif %}

with trades as (

    select * from {{ ref('trades') }}
    where
        wallet_address is not null
        and {{ in_stretches('timestamp', months) }}

),

-- Apart from the others: all columns of all trades would be kept for a second reading that is hardly ever made.
named_trades as (

    select
        token_id,
        condition_id
    from {{ ref('trades') }}
    where
        wallet_address is not null
        and {{ in_stretches('timestamp', months) }}

),

outcomes as (

    select * from {{ ref('int_outcome_names') }}

),

moment as (

    select * from {{ ref('int_as_of') }}

),

{% if is_incremental() -%}
new_loads as (

    {{ new_loads('trades') }}

),

traded_pairs as (

    {{ new_fills(['wallet_address', 'token_id'], day) }}

),

new_names as (

    {{ new_names() }}

),

-- Nothing was loaded, and yet the sums are others: a market's fees became known, or the moment of the scores moved over
-- a fill.
changed_pairs as (

    select
        totals.wallet_address,
        totals.token_id
    from {{ this }} as totals
    cross join moment
    left join new_names on totals.token_id = new_names.contract_id
    where
        new_names.contract_id is not null
        or totals.later_trades > 0
        or totals.last_trade_at > moment.as_of

),

due_pairs as (

    select * from traded_pairs
    union distinct
    select * from changed_pairs

),

{% endif -%}

fills as (

    select
        trades.wallet_address,
        trades.token_id,
        trades.shares,
        trades.usd_value,
        trades.fee_usd,
        trades.timestamp,
        trades.timestamp <= moment.as_of as is_past,
        trades.timestamp <= moment.as_of and trades.side = 'BUY' as is_bought,
        trades.timestamp <= moment.as_of and trades.side = 'SELL' as is_sold
    from trades
    cross join moment
    {% if is_incremental() -%}
    inner join due_pairs
        on
            trades.wallet_address = due_pairs.wallet_address
            and trades.token_id = due_pairs.token_id
    {%- endif %}

),

summed as (

    select
        wallet_address,
        token_id,
        count(case when is_past then 1 end) as trades,
        count(case when not is_past then 1 end) as later_trades,
        sum(case when is_bought then shares else 0 end) as shares_bought,
        sum(case when is_sold then shares else 0 end) as shares_sold,
        sum(case when is_bought then shares * {{ unix_seconds('timestamp') }} else 0 end) as bought_share_seconds,
        sum(case when is_sold then shares * {{ unix_seconds('timestamp') }} else 0 end) as sold_share_seconds,
        sum(case when is_bought then usd_value else 0 end) as bought_usd,
        sum(case when is_sold then usd_value else 0 end) as sold_usd,
        sum(case when is_bought then coalesce(fee_usd, 0) else 0 end) as buy_fees_usd,
        sum(case when is_sold then coalesce(fee_usd, 0) else 0 end) as sell_fees_usd,
        count(case when is_past and fee_usd is null then 1 end) = 0 as fees_complete,
        min(case when is_past then timestamp end) as first_trade_at,
        max(case when is_past then timestamp end) as last_trade_at
    from fills
    group by wallet_address, token_id

),

unlisted_tokens as (

    select distinct summed.token_id
    from summed
    left join outcomes on summed.token_id = outcomes.contract_id
    where outcomes.contract_id is null

),

-- No venue has told of these tokens' market; the fills themselves name it. Carrying it for all tokens would cost as
-- much as the sums.
told_by_fills as (

    select
        named_trades.token_id,
        max(named_trades.condition_id) as condition_id
    from named_trades
    inner join unlisted_tokens on named_trades.token_id = unlisted_tokens.token_id
    group by named_trades.token_id

),

totals as (

    select
        summed.wallet_address,
        summed.token_id,
        told_by_fills.condition_id,
        summed.trades,
        summed.later_trades,
        cast(summed.shares_bought as {{ money_type() }}) as shares_bought,
        cast(summed.shares_sold as {{ money_type() }}) as shares_sold,
        cast(summed.bought_share_seconds as {{ money_type() }}) as bought_share_seconds,
        cast(summed.sold_share_seconds as {{ money_type() }}) as sold_share_seconds,
        cast(summed.bought_usd as {{ money_type() }}) as bought_usd,
        cast(summed.sold_usd as {{ money_type() }}) as sold_usd,
        cast(summed.buy_fees_usd as {{ money_type() }}) as buy_fees_usd,
        cast(summed.sell_fees_usd as {{ money_type() }}) as sell_fees_usd,
        summed.fees_complete,
        summed.first_trade_at,
        summed.last_trade_at
    from summed
    left join told_by_fills on summed.token_id = told_by_fills.token_id

)

select * from totals
