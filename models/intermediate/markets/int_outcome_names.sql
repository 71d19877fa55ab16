{{
    config(
        materialized='incremental',
        unique_key='contract_id',
        incremental_strategy='merge',
        on_schema_change='fail',
        cluster_by=clustering(['contract_id']),
    )
}}

with outcomes as (

    select
        contract_id,
        market_id,
        event_slug,
        outcome,
        fee_rate,
        fee_exponent,
        has_fees
    from {{ ref('int_market_outcomes') }}

),

{% if is_incremental() -%}
known as (

    select * from {{ this }}

),

-- Later than every revision before, even where the clock was set back.
revision as (

    select greatest({{ now_micros() }}, coalesce(max(known.revision), 0) + 1) as revision
    from known

),

changed as (

    select
        outcomes.*,
        revision.revision
    from outcomes
    left join known on outcomes.contract_id = known.contract_id
    cross join revision
    where
        known.contract_id is null
        or outcomes.market_id is distinct from known.market_id
        or outcomes.event_slug is distinct from known.event_slug
        or outcomes.outcome is distinct from known.outcome
        or outcomes.fee_rate is distinct from known.fee_rate
        or outcomes.fee_exponent is distinct from known.fee_exponent
        or outcomes.has_fees is distinct from known.has_fees

),
{%- else -%}
changed as (

    select
        outcomes.*,
        {{ now_micros() }} as revision
    from outcomes

),
{%- endif %}

names as (

    select
        contract_id,
        market_id,
        event_slug,
        outcome,
        fee_rate,
        fee_exponent,
        has_fees,
        cast(revision as int64) as revision
    from changed

)

select * from names
