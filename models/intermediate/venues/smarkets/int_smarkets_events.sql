with latest as (

    select * from {{ ref('int_smarkets_latest') }}
    where resource = 'events'

),

parsed as (

    select
        *,
        {{ json_fields('payload', [
            'name', 'type', 'bettable', 'start_datetime', 'end_date', 'created',
        ]) }} as event
    from latest

),

-- The newer kind of type is an object, the older one its domain's name or nearly so.
typed as (

    select
        parsed.*,
        case
            when starts_with(parsed.event.type, '{')
                then {{ json_fields('parsed.event.type', ['domain', 'scope']) }}
        end as kind
    from parsed

),

events as (

    select
        concat('smarkets:', typed.thing_id) as event_slug,
        typed.event.name as title,
        case when starts_with(typed.event.type, '{') then typed.kind.domain else typed.event.type end as venue_category,
        cast(null as bool) as is_exclusive,
        {{ parse_timestamp('typed.event.created') }} as start_date,
        coalesce(
            {{ parse_timestamp('typed.event.end_date') }},
            {{ parse_timestamp('typed.event.start_datetime') }}
        ) as end_date,
        typed.first_loaded_at,
        typed.fetched_at,
        typed.walk_id,
        typed.walk_position
    from typed
    -- The branches of the tree hold events, not markets.
    where coalesce(typed.event.bettable, 'true') = 'true'

)

select * from events
