with latest as (

    select * from {{ ref('int_betfair_latest') }}

),

walks as (

    select * from {{ ref('stg_venues__walks') }}
    where venue = 'betfair'

),

markets as (

    select
        *,
        {{ json_fields('payload', ['marketName', 'marketStartTime', 'description', 'event', 'eventType']) }} as market
    from latest
    where resource = 'markets'

),

parsed as (

    select
        *,
        {{ json_fields('markets.market.event', ['id', 'openDate']) }} as event,
        {{ json_fields('markets.market.eventtype', ['name']) }} as event_type,
        {{ json_fields('markets.market.description', ['marketTime', 'bettingType', 'marketBaseRate']) }} as description
    from markets

),

books as (

    select
        *,
        {{ json_fields('payload', ['status', 'totalMatched', 'numberOfWinners']) }} as book
    from latest
    where resource = 'books'

),

-- A market is void when it was closed without a winner.
outcomes as (

    select
        market_id,
        max(case when state in ('WINNER', 'PLACED') then 1 else 0 end) = 1 as has_winner,
        max(case when payout = 1 then outcome end) as winning_outcome
    from {{ ref('int_betfair_contracts') }}
    group by market_id

),

described as (

    select
        concat('betfair:', parsed.thing_id) as market_id,
        concat('betfair:', parsed.event.id) as event_slug,
        parsed.thing_id as slug,
        parsed.market.marketname as title,
        parsed.event_type.name as venue_category,
        case
            when books.book.status = 'CLOSED' and outcomes.has_winner then 'resolved'
            when books.book.status = 'CLOSED' then 'voided'
            when books.book.status = 'OPEN' then 'open'
            when books.book.status = 'INACTIVE' or books.book.status is null then 'upcoming'
            else 'suspended'
        end as status,
        outcomes.winning_outcome,
        {{ try_cast('books.book.totalmatched', money_type()) }} as volume,
        cast(null as {{ money_type() }}) as volume_24hr,
        {{ volume_unit('betfair') }} as volume_unit,
        -- Only odds are probabilities that sum to the number of winners.
        case
            when coalesce(parsed.description.bettingtype, 'ODDS') = 'ODDS'
                then {{ read_integer('books.book.numberofwinners') }}
        end as winners,
        {{ exact_ratio(try_cast('parsed.description.marketbaserate', money_type()), '100') }} as profit_share,
        {{ parse_timestamp('parsed.event.opendate') }} as start_date,
        coalesce(
            {{ parse_timestamp('parsed.description.markettime') }},
            {{ parse_timestamp('parsed.market.marketstarttime') }}
        ) as end_date,
        -- The venue does not say when; a closed market is read once.
        case when books.book.status = 'CLOSED' then coalesce(walks.venue_time, books.fetched_at) end as resolved_at,
        coalesce(walks.venue_time, books.fetched_at, parsed.fetched_at) as observed_at,
        parsed.first_loaded_at,
        parsed.fetched_at,
        parsed.walk_id,
        parsed.walk_position
    from parsed
    left join books on parsed.thing_id = books.thing_id
    left join walks on books.walk_id = walks.walk_id
    left join outcomes on concat('betfair:', parsed.thing_id) = outcomes.market_id

)

select * from described
