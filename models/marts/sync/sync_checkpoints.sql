{{ config(materialized='view') }}

-- Views all the way down to the raw tables: what this says is true as soon as a load is committed, and needs no build.
with all_walks as (

    select
        venue,
        resource,
        scope,
        bound_from,
        bound_to,
        status,
        error,
        row_count,
        ended_at
    from {{ ref('stg_venues__walks') }}
    union all
    select
        venue,
        resource,
        scope,
        bound_from,
        bound_to,
        status,
        error,
        row_count,
        ended_at
    from {{ ref('stg_polymarket__walks') }}

),

walks as (

    select
        *,
        concat(resource, ':', scope) as sync_type
    from all_walks
    where
        bound_from is not null
        and bound_to is not null

),

plans as (

    select
        venue,
        concat(resource, ':', scope) as sync_type,
        bound_from,
        bound_to
    from {{ ref('stg_venues__windows') }}

),

windows as (

    select
        venue,
        sync_type,
        bound_from,
        bound_to
    from plans
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

-- A longer window that was completed has completed the shorter ones in it.
completions as (

    select
        windows.venue,
        windows.sync_type,
        windows.bound_from,
        windows.bound_to,
        max(walks.ended_at) as completed_at
    from windows
    inner join walks
        on
            windows.venue = walks.venue
            and windows.sync_type = walks.sync_type
            and windows.bound_from >= walks.bound_from
            and windows.bound_to <= walks.bound_to
    where walks.status = 'completed'
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
            when last_tries.status is not null then 'failed'
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
