{{ config(cluster_by=clustering(['event_slug'])) }}

with polymarket_events as (

    select * from {{ ref('int_polymarket_events') }}
    -- An event that was listed anew under its old name replaces the old one.
    qualify row_number() over (partition by event_slug order by fetched_at desc, event_id desc) = 1

),

markets as (

    select * from {{ ref('int_markets') }}
    where event_slug is not null

),

categories as (

    select * from {{ ref('int_categories') }}
    where object_type = 'event'

),

known_markets as (

    select
        event_slug,
        count(*) as known_markets,
        sum(case when status in ('resolved', 'voided') then 1 else 0 end) as decided_markets,
        sum(case when status in ('closed', 'resolved', 'voided') then 1 else 0 end) as closed_markets,
        sum(case when status = 'upcoming' then 1 else 0 end) as upcoming_markets,
        min(start_date) as start_date,
        max(end_date) as end_date,
        min(first_loaded_at) as first_loaded_at
    from markets
    group by event_slug

),

-- Events that only Dome tells of have no row of their own, but their markets name them.
all_events as (

    select
        coalesce(polymarket_events.event_slug, known_markets.event_slug) as event_slug,
        polymarket_events.event_id,
        polymarket_events.title,
        polymarket_events.tags,
        polymarket_events.markets,
        polymarket_events.is_active,
        polymarket_events.is_closed,
        polymarket_events.start_date,
        polymarket_events.end_date,
        polymarket_events.first_loaded_at,
        known_markets.known_markets,
        known_markets.decided_markets,
        known_markets.closed_markets,
        known_markets.upcoming_markets,
        known_markets.start_date as markets_start_date,
        known_markets.end_date as markets_end_date,
        known_markets.first_loaded_at as markets_first_loaded_at
    from polymarket_events
    full outer join known_markets on polymarket_events.event_slug = known_markets.event_slug

),

-- Where the event itself has no tags, its markets' commonest category stands in.
categories_of_markets as (

    select
        event_slug,
        category
    from markets
    group by event_slug, category
    qualify row_number() over (partition by event_slug order by count(*) desc, category) = 1

),

described as (

    select
        'polymarket' as venue,
        all_events.event_slug,
        all_events.title,
        case
            when all_events.event_id is null then coalesce(categories_of_markets.category, 'Uncategorized')
            else coalesce(categories.category, 'Uncategorized')
        end as category,
        {{ join_distinct('all_events.tags') }} as tags,
        case
            when all_events.known_markets = all_events.decided_markets and coalesce(all_events.is_closed, true)
                then 'resolved'
            when coalesce(all_events.is_closed, all_events.known_markets = all_events.closed_markets) then 'closed'
            when
                not coalesce(all_events.is_active, true)
                or all_events.known_markets = all_events.upcoming_markets
                then 'upcoming'
            else 'open'
        end as status,
        coalesce(all_events.markets, all_events.known_markets, 0) as markets,
        coalesce(all_events.known_markets, 0) as known_markets,
        coalesce(all_events.start_date, all_events.markets_start_date) as start_date,
        coalesce(all_events.end_date, all_events.markets_end_date) as end_date,
        coalesce(all_events.first_loaded_at, all_events.markets_first_loaded_at) as first_loaded_at
    from all_events
    left join categories on all_events.event_id = categories.object_id
    left join categories_of_markets on all_events.event_slug = categories_of_markets.event_slug

),

venue_events as (

    select * from {{ ref('int_venue_events') }}

),

venue_markets as (

    select
        event_slug,
        count(*) as known_markets,
        sum(case when status in ('resolved', 'voided') then 1 else 0 end) as decided_markets,
        sum(case when status in ('closed', 'resolved', 'voided') then 1 else 0 end) as closed_markets,
        sum(case when status = 'upcoming' then 1 else 0 end) as upcoming_markets
    from {{ ref('int_venue_markets') }}
    group by event_slug

),

other_venues as (

    select
        venue_events.venue,
        venue_events.event_slug,
        venue_events.title,
        venue_events.category,
        coalesce({{ slugify('venue_events.venue_category') }}, '') as tags,
        case
            when venue_markets.known_markets = venue_markets.decided_markets then 'resolved'
            when venue_markets.known_markets = venue_markets.closed_markets then 'closed'
            when venue_markets.known_markets = venue_markets.upcoming_markets then 'upcoming'
            else 'open'
        end as status,
        coalesce(venue_markets.known_markets, 0) as markets,
        coalesce(venue_markets.known_markets, 0) as known_markets,
        venue_events.start_date,
        venue_events.end_date,
        venue_events.first_loaded_at
    from venue_events
    left join venue_markets on venue_events.event_slug = venue_markets.event_slug

),

every_event as (

    select * from described
    union all
    select * from other_venues

)

select * from every_event
