with latest as (

    select * from {{ ref('int_smarkets_latest') }}

),

walks as (

    select * from {{ ref('stg_venues__walks') }}
    where venue = 'smarkets'

),

events as (

    select * from {{ ref('int_smarkets_events') }}

),

markets as (

    select
        *,
        {{ json_fields('payload', ['event_id', 'name', 'state', 'winner_count', 'created']) }} as market
    from latest
    where resource = 'markets'

),

volumes as (

    select
        thing_id,
        {{ json_fields('payload', ['volume']) }} as traded
    from latest
    where resource = 'volumes'

),

-- What is settled is listed no more; its contracts still tell.
outcomes as (

    select
        market_id,
        min(
            case when state in ('winner', 'loser', 'deadheat', 'reduced', 'voided') then 1 else 0 end
        ) = 1 as is_decided,
        min(case when state = 'voided' then 1 else 0 end) = 1 as is_voided,
        max(case when payout = 1 then outcome end) as winning_outcome,
        max(decided_at) as decided_at
    from {{ ref('int_smarkets_contracts') }}
    group by market_id

),

described as (

    select
        concat('smarkets:', markets.thing_id) as market_id,
        concat('smarkets:', markets.market.event_id) as event_slug,
        markets.thing_id as slug,
        markets.market.name as title,
        events.venue_category,
        case
            when markets.market.state = 'voided' or (outcomes.is_decided and outcomes.is_voided) then 'voided'
            when markets.market.state = 'settled' or outcomes.is_decided then 'resolved'
            when markets.market.state in ('open', 'live') then 'open'
            when markets.market.state = 'new' then 'upcoming'
            when markets.market.state = 'halted' then 'suspended'
            else 'closed'
        end as status,
        outcomes.winning_outcome,
        {{ try_cast('volumes.traded.volume', money_type()) }} as volume,
        cast(null as {{ money_type() }}) as volume_24hr,
        {{ volume_unit('smarkets') }} as volume_unit,
        coalesce({{ read_integer('markets.market.winner_count') }}, 1) as winners,
        cast(null as {{ money_type() }}) as profit_share,
        {{ parse_timestamp('markets.market.created') }} as start_date,
        events.end_date,
        case when outcomes.is_decided then outcomes.decided_at end as resolved_at,
        coalesce(walks.venue_time, markets.fetched_at) as observed_at,
        markets.first_loaded_at,
        markets.fetched_at,
        markets.walk_id,
        markets.walk_position
    from markets
    left join walks on markets.walk_id = walks.walk_id
    left join volumes on markets.thing_id = volumes.thing_id
    left join events on concat('smarkets:', markets.market.event_id) = events.event_slug
    left join outcomes on concat('smarkets:', markets.thing_id) = outcomes.market_id

)

select * from described
