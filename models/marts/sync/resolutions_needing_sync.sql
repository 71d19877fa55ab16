{{ config(materialized='view') }}

with markets as (

    select * from {{ ref('markets') }}
    where
        source = 'polymarket'
        and status in ('closed', 'resolved', 'voided')

),

resolutions as (

    select * from {{ ref('stg_polymarket__resolutions') }}
    where
        resolution_status = 'resolved'
        and payouts is not null

),

-- The scope of a walk is what it asked for; a market of which the venue says nothing leaves no row.
walks as (

    select
        venue_time,
        split(scope, ',') as condition_ids
    from {{ ref('stg_polymarket__walks') }}
    where
        resource = 'resolutions'
        and status = 'completed'

),

moment as (

    select * from {{ ref('int_as_of') }}

),

asked as (

    select
        asked.condition_id,
        max(walks.venue_time) as asked_at
    from walks
    {{ unnest_array('walks.condition_ids', 'condition_id', 'place', 'asked') }}
    group by asked.condition_id

),

settled as (

    select distinct condition_id
    from resolutions

),

-- What was not settled when it was asked for is asked for again each day, for as long as it is news.
due as (

    select
        markets.venue,
        markets.condition_id,
        asked.asked_at,
        cast(
            row_number() over (order by asked.asked_at nulls first, markets.condition_id) as int64
        ) as sync_order
    from markets
    left join settled on markets.condition_id = settled.condition_id
    left join asked on markets.condition_id = asked.condition_id
    cross join moment
    where
        settled.condition_id is null
        and (
            asked.asked_at is null
            or (
                asked.asked_at <= {{ timestamp_minus_days('moment.as_of', 1) }}
                and coalesce(markets.resolved_at, markets.end_date)
                > {{ timestamp_minus_days('moment.as_of', var('resolutions_within_days')) }}
            )
        )

)

select * from due
