-- A market of PredictIt is a question with all its answers, which elsewhere is an event.
with markets as (

    select * from {{ ref('int_predictit_markets') }}

),

events as (

    select
        event_slug,
        title,
        venue_category,
        cast(null as bool) as is_exclusive,
        start_date,
        end_date,
        first_loaded_at,
        fetched_at,
        walk_id,
        walk_position
    from markets

)

select * from events
