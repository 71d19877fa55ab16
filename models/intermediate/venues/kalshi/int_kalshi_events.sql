with events as (

    select * from {{ ref('int_kalshi_listed_events') }}

),

series as (

    select * from {{ ref('int_kalshi_series') }}

),

markets as (

    select
        event_ticker,
        min(opens_at) as start_date,
        max(closes_at) as end_date
    from {{ ref('int_kalshi_listed_markets') }}
    group by event_ticker

),

-- The category of an event is deprecated in favour of its series'.
described as (

    select
        concat('kalshi:', events.event_ticker) as event_slug,
        events.title,
        coalesce(series.category, events.category) as venue_category,
        events.is_exclusive,
        markets.start_date,
        coalesce(markets.end_date, events.strike_date) as end_date,
        events.first_loaded_at,
        events.fetched_at,
        events.walk_id,
        events.walk_position
    from events
    left join series on events.series_ticker = series.series_ticker
    left join markets on events.event_ticker = markets.event_ticker

)

select * from described
