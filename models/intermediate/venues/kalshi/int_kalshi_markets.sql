with markets as (

    select * from {{ ref('int_kalshi_listed_markets') }}

),

walks as (

    select * from {{ ref('stg_venues__walks') }}
    where
        venue = 'kalshi'
        and resource = 'markets'

),

events as (

    select * from {{ ref('int_kalshi_events') }}

),

-- The words of this field are not the words of the list's filter: open is `active`, settled is `finalized`. What is
-- determined can still be disputed, and has paid nobody.
described as (

    select
        concat('kalshi:', markets.ticker) as market_id,
        concat('kalshi:', markets.event_ticker) as event_slug,
        markets.ticker as slug,
        markets.title,
        events.venue_category,
        case markets.status
            when 'initialized' then 'upcoming'
            when 'active' then 'open'
            when 'inactive' then 'suspended'
            when 'finalized' then case when markets.result is null then 'voided' else 'resolved' end
            else 'closed'
        end as status,
        case
            when markets.status = 'finalized' and markets.result in ('yes', 'no')
                then case markets.result when 'yes' then 'Yes' else 'No' end
        end as winning_outcome,
        markets.volume,
        markets.volume_24hr,
        {{ volume_unit('kalshi') }} as volume_unit,
        cast(1 as int64) as winners,
        cast(null as {{ money_type() }}) as profit_share,
        markets.opens_at as start_date,
        markets.closes_at as end_date,
        case
            when markets.status = 'finalized' then coalesce(markets.settled_at, markets.closes_at, markets.fetched_at)
        end as resolved_at,
        coalesce(walks.venue_time, markets.fetched_at) as observed_at,
        markets.first_loaded_at,
        markets.fetched_at,
        markets.walk_id,
        markets.walk_position
    from markets
    left join walks on markets.walk_id = walks.walk_id
    left join events on concat('kalshi:', markets.event_ticker) = events.event_slug

)

select * from described
