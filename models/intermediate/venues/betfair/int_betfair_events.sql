with latest as (

    select * from {{ ref('int_betfair_latest') }}
    where resource = 'markets'

),

markets as (

    select
        *,
        {{ json_fields('payload', ['event', 'eventType']) }} as market
    from latest

),

parsed as (

    select
        *,
        {{ json_fields('markets.market.event', ['id', 'name', 'openDate']) }} as event,
        {{ json_fields('markets.market.eventtype', ['name']) }} as event_type
    from markets

),

-- An event is described by each of its markets; the one read last counts.
events as (

    select
        concat('betfair:', parsed.event.id) as event_slug,
        parsed.event.name as title,
        parsed.event_type.name as venue_category,
        cast(null as bool) as is_exclusive,
        {{ parse_timestamp('parsed.event.opendate') }} as start_date,
        cast(null as timestamp) as end_date,
        min(parsed.first_loaded_at) over (partition by parsed.event.id) as first_loaded_at,
        parsed.fetched_at,
        parsed.walk_id,
        parsed.walk_position
    from parsed
    where parsed.event.id is not null
    qualify
        row_number() over (
            partition by parsed.event.id
            order by parsed.fetched_at desc, parsed.walk_id desc, parsed.walk_position desc
        ) = 1

)

select * from events
