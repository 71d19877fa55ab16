{{ config(materialized='view') }}

-- A wallet's completed walks are laid on its time line. The island that begins with a walk without a lower bound is what
-- is known for certain, up to its end: the watermark. A walk that does not touch it leaves a gap, and moves nothing.
with walks as (

    select * from {{ ref('int_wallet_walks') }}

),

completed as (

    select
        *,
        coalesce(bound_from, {{ epoch_timestamp("'0'") }}) as covered_from
    from walks
    where
        status = 'completed'
        and covered_to is not null

),

before as (

    select
        *,
        max(covered_to) over (
            partition by venue, wallet_address, resource
            order by covered_from, covered_to desc, walk_id
            rows between unbounded preceding and 1 preceding
        ) as covered_before
    from completed

),

islands as (

    select
        *,
        sum(case when covered_from <= covered_before then 0 else 1 end) over (
            partition by venue, wallet_address, resource
            order by covered_from, covered_to desc, walk_id
            rows between unbounded preceding and current row
        ) as island
    from before

),

coverage as (

    select
        venue,
        wallet_address,
        resource,
        max(case when island = 1 and bound_from is null then 1 else 0 end) = 1 as has_whole_history,
        max(island) = 1 as has_no_gap,
        max(case when island = 1 then covered_to end) as covered_to,
        max(case when island = 1 then newest_item_at end) as newest_item_at
    from islands
    group by venue, wallet_address, resource

),

judged as (

    select
        venue,
        wallet_address,
        resource,
        has_whole_history and has_no_gap as is_complete,
        case when has_whole_history then covered_to end as watermark_at,
        case when has_whole_history then newest_item_at end as newest_item_at
    from coverage

)

select * from judged
