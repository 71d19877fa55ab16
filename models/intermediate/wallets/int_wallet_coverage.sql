{{ config(materialized='view') }}

-- What is known of a wallet for certain is the stretch without a beginning, up to its end: the watermark. A walk that
-- does not touch it leaves a gap, and moves nothing.
with stretches as (

    select * from {{ ref('int_wallet_stretches') }}

),

coverage as (

    select
        venue,
        wallet_address,
        resource,
        count(*) = 1 and min(covered_from) = {{ epoch_timestamp("'0'") }} as is_complete,
        max(case when covered_from = {{ epoch_timestamp("'0'") }} then covered_to end) as watermark_at,
        max(case when covered_from = {{ epoch_timestamp("'0'") }} then newest_item_at end) as newest_item_at,
        min(first_started_at) as first_started_at,
        max(last_completed_at) as last_completed_at,
        max_by(last_duration_ms, last_completed_at) as last_duration_ms
    from stretches
    group by venue, wallet_address, resource

)

select * from coverage
