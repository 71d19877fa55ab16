{{ config(materialized='view') }}

with traded_markets as (

    select * from {{ ref('int_traded_markets') }}
    where venue = 'polymarket'

),

markets as (

    select * from {{ ref('markets') }}
    where venue = 'polymarket'

),

moment as (

    select * from {{ ref('int_as_of') }}

),

-- The scope of a walk is what it asked for. Older walks change nothing: whatever was asked then is due again.
polymarket_walks as (

    select
        walks.venue_time,
        split(walks.scope, ',') as condition_ids
    from {{ ref('stg_polymarket__walks') }} as walks
    cross join moment
    where
        walks.resource = 'markets'
        and walks.status = 'completed'
        and walks.venue_time > {{ timestamp_minus_days('moment.as_of', 2) }}

),

dome_walks as (

    select
        walks.venue_time,
        split(walks.scope, ',') as condition_ids
    from {{ ref('stg_dome__walks') }} as walks
    cross join moment
    where
        walks.resource = 'markets'
        and walks.status = 'completed'
        and walks.venue_time > {{ timestamp_minus_days('moment.as_of', 2) }}

),

walks as (

    select * from polymarket_walks
    union all
    select * from dome_walks

),

asked as (

    select
        asked.condition_id,
        max(walks.venue_time) as asked_at
    from walks
    {{ unnest_array('walks.condition_ids', 'condition_id', 'place', 'asked') }}
    group by asked.condition_id

),

-- A market that only Dome told of is asked for there.
all_markets as (

    select
        case
            when coalesce(markets.source = 'dome', not traded_markets.is_on_polymarket) then 'dome'
            else 'polymarket'
        end as venue,
        coalesce(traded_markets.market_id, markets.market_id) as condition_id,
        markets.market_id is null as is_unknown,
        markets.status,
        coalesce(markets.sync_priority, 'high') as sync_priority,
        markets.end_date,
        coalesce(markets.resolved_at, markets.end_date) as ended_at,
        markets.volume,
        markets.last_trade_sync_at,
        coalesce(traded_markets.trades, 0) as last_trade_count,
        markets.observed_at
    from traded_markets
    full outer join markets on traded_markets.market_id = markets.market_id

),

-- What has just been decided may still be corrected; after a week nobody asks any more.
watched as (

    select
        all_markets.venue,
        all_markets.condition_id,
        case
            when all_markets.is_unknown then 'unknown'
            when all_markets.status in ('resolved', 'voided') then 'decided'
            when all_markets.status = 'closed' then 'awaiting_resolution'
            when all_markets.end_date < {{ timestamp_plus_minutes('moment.as_of', 24 * 60) }} then 'closing'
            else 'open'
        end as reason,
        all_markets.sync_priority,
        case
            when all_markets.is_unknown then asked.asked_at
            -- Whoever has a market has asked for it, before the walks that are looked through here.
            else coalesce(greatest(asked.asked_at, all_markets.observed_at), asked.asked_at, all_markets.observed_at)
        end as asked_at,
        all_markets.ended_at > {{ timestamp_minus_days('moment.as_of', 7) }} as has_just_ended,
        all_markets.end_date,
        all_markets.volume,
        all_markets.last_trade_sync_at,
        all_markets.last_trade_count,
        all_markets.observed_at
    from all_markets
    cross join moment
    left join asked on all_markets.condition_id = asked.condition_id
    where
        all_markets.sync_priority != 'archived'
        and (
            all_markets.status is null
            or all_markets.status not in ('resolved', 'voided')
            or all_markets.ended_at > {{ timestamp_minus_days('moment.as_of', 7) }}
        )

),

ranked as (

    select
        *,
        case
            when reason = 'unknown' and asked_at is null then 1
            when reason = 'closing' or (reason = 'awaiting_resolution' and has_just_ended) then 2
            when reason = 'open' and sync_priority = 'high' then 3
            else 4
        end as urgency
    from watched

),

due as (

    select
        venue,
        condition_id,
        reason,
        sync_priority,
        cast(
            row_number() over (
                partition by venue
                order by
                    urgency asc,
                    case when urgency = 2 then end_date end asc nulls last,
                    case when urgency = 3 then volume end desc nulls last,
                    asked_at asc nulls first,
                    condition_id asc
            ) as int64
        ) as sync_order,
        case urgency
            when 2 then {{ timestamp_plus_minutes('asked_at', var('markets_closing_every_minutes')) }}
            when 3 then {{ timestamp_plus_minutes('asked_at', var('markets_active_every_hours') * 60) }}
            else {{ timestamp_plus_minutes('asked_at', 24 * 60) }}
        end as due_at,
        last_trade_sync_at,
        last_trade_count,
        observed_at
    from ranked

)

select * from due
