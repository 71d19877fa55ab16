{{ config(cluster_by=clustering(['market_id'])) }}

with markets as (

    select * from {{ ref('int_markets') }}

),

traded_markets as (

    select * from {{ ref('int_traded_markets') }}

),

moment as (

    select * from {{ ref('int_as_of') }}

),

prioritised as (

    select
        'polymarket' as venue,
        markets.source,
        markets.market_id,
        markets.market_id as condition_id,
        markets.event_slug,
        markets.slug,
        markets.title,
        markets.category,
        markets.category_tag,
        markets.category_rule_type,
        markets.tags,
        markets.status,
        markets.winning_outcome,
        case
            when markets.is_archived then 'archived'
            when markets.status in ('resolved', 'voided')
                then
                    case
                        when markets.resolved_at < {{ timestamp_minus_days('moment.as_of', 7) }} then 'archived'
                        else 'low'
                    end
            when markets.status = 'closed'
                then
                    case
                        when markets.end_date < {{ timestamp_minus_days('moment.as_of', 7) }} then 'low'
                        else 'normal'
                    end
            when markets.status = 'upcoming' then 'normal'
            when markets.volume_24hr > 1000 or traded_markets.trades > 0 then 'high'
            else 'normal'
        end as sync_priority,
        markets.volume,
        markets.volume_24hr,
        {{ volume_unit('polymarket') }} as volume_unit,
        coalesce(traded_markets.trades, 0) as last_trade_count,
        markets.is_active as active,
        markets.is_closed as closed,
        markets.start_date,
        markets.end_date,
        markets.resolved_at,
        traded_markets.last_loaded_at as last_trade_sync_at,
        markets.observed_at,
        markets.first_loaded_at
    from markets
    cross join moment
    left join traded_markets on markets.market_id = traded_markets.market_id

),

venue_markets as (

    select * from {{ ref('int_venue_markets') }}

),

-- Every run reads what is open; of what is over, only the outcome can still be news.
other_venues as (

    select
        venue_markets.venue,
        venue_markets.venue as source,
        venue_markets.market_id,
        cast(null as string) as condition_id,
        venue_markets.event_slug,
        venue_markets.slug,
        venue_markets.title,
        venue_markets.category,
        venue_markets.venue_category as category_tag,
        case when venue_markets.category != 'Uncategorized' then 'venue_category' end as category_rule_type,
        coalesce({{ slugify('venue_markets.venue_category') }}, '') as tags,
        venue_markets.status,
        venue_markets.winning_outcome,
        case
            when venue_markets.status in ('resolved', 'voided') then 'archived'
            when venue_markets.status = 'closed' then 'low'
            else 'normal'
        end as sync_priority,
        venue_markets.volume,
        venue_markets.volume_24hr,
        venue_markets.volume_unit,
        coalesce(traded_markets.trades, 0) as last_trade_count,
        venue_markets.status in ('open', 'suspended') as active,
        venue_markets.status in ('closed', 'resolved', 'voided') as closed,
        venue_markets.start_date,
        venue_markets.end_date,
        venue_markets.resolved_at,
        traded_markets.last_loaded_at as last_trade_sync_at,
        venue_markets.observed_at,
        venue_markets.first_loaded_at
    from venue_markets
    left join traded_markets on venue_markets.market_id = traded_markets.market_id

),

all_markets as (

    select * from prioritised
    union all
    select * from other_venues

)

select * from all_markets
