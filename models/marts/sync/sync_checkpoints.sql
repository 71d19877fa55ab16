{{ config(materialized='view') }}

-- Views all the way down to the raw tables: what this says is true as soon as a load is committed, and needs no build.
-- Only a raw table that did not exist when the views were made is seen after the next one.
with walks as (
    {%- for model in ['stg_venues__walks', 'stg_polymarket__walks'] %}

    select
        venue,
        concat(resource, ':', scope) as sync_type,
        bound_from,
        bound_to,
        status,
        error,
        row_count,
        ended_at
    from {{ ref(model) }}
    where
        bound_from is not null
        and bound_to is not null
    {{- "\n    union all" if not loop.last }}
    {%- endfor %}

),

-- What a run was going to read, and what was read without a plan.
windows as (

    select
        venue,
        concat(resource, ':', scope) as sync_type,
        bound_from,
        bound_to
    from {{ ref('stg_venues__windows') }}
    union distinct
    select
        venue,
        sync_type,
        bound_from,
        bound_to
    from walks

),

last_tries as (

    select * from walks
    qualify
        row_number() over (
            partition by venue, sync_type, bound_from, bound_to
            order by ended_at desc, status asc
        ) = 1

),

completed as (

    select
        venue,
        sync_type,
        bound_from,
        max(bound_to) as bound_to,
        max(ended_at) as ended_at
    from walks
    where status = 'completed'
    group by venue, sync_type, bound_from

),

on_a_line as (

    select
        *,
        max(bound_to) over (
            partition by venue, sync_type
            order by bound_from
            rows between unbounded preceding and 1 preceding
        ) as covered_before
    from completed

),

islands as (

    select
        *,
        sum(case when bound_from <= covered_before then 0 else 1 end) over (
            partition by venue, sync_type
            order by bound_from
            rows between unbounded preceding and current row
        ) as island
    from on_a_line

),

stretches as (

    select
        venue,
        sync_type,
        min(bound_from) as bound_from,
        max(bound_to) as bound_to
    from islands
    group by venue, sync_type, island

),

-- A window is completed by itself, by a longer one, or by several that leave no moment of it out.
completions as (

    select
        windows.venue,
        windows.sync_type,
        windows.bound_from,
        windows.bound_to,
        max(completed.ended_at) as completed_at
    from windows
    inner join stretches
        on
            windows.venue = stretches.venue
            and windows.sync_type = stretches.sync_type
            and windows.bound_from >= stretches.bound_from
            and windows.bound_to <= stretches.bound_to
    inner join completed
        on
            windows.venue = completed.venue
            and windows.sync_type = completed.sync_type
            and windows.bound_from < completed.bound_to
            and windows.bound_to > completed.bound_from
    group by windows.venue, windows.sync_type, windows.bound_from, windows.bound_to

),

checkpoints as (

    select
        windows.venue as source,
        windows.sync_type,
        windows.bound_from as window_start,
        windows.bound_to as window_end,
        case
            when completions.completed_at is not null then 'completed'
            when last_tries.status = 'failed' then 'failed'
            else 'pending'
        end as status,
        case when completions.completed_at is null then last_tries.error end as error_message,
        coalesce(last_tries.row_count, 0) as rows_fetched,
        coalesce(completions.completed_at, last_tries.ended_at) as updated_at
    from windows
    left join completions
        on
            windows.venue = completions.venue
            and windows.sync_type = completions.sync_type
            and windows.bound_from = completions.bound_from
            and windows.bound_to = completions.bound_to
    left join last_tries
        on
            windows.venue = last_tries.venue
            and windows.sync_type = last_tries.sync_type
            and windows.bound_from = last_tries.bound_from
            and windows.bound_to = last_tries.bound_to

)

select * from checkpoints
