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

)

select * from prioritised
