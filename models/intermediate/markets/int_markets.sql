{{ config(cluster_by=clustering(['market_id'])) }}

with polymarket_markets as (

    select * from {{ ref('int_polymarket_markets') }}

),

dome_markets as (

    select * from {{ ref('int_dome_markets') }}

),

outcomes as (

    select * from {{ ref('int_market_outcomes') }}

),

categories as (

    select * from {{ ref('int_categories') }}

),

events as (

    select * from {{ ref('int_polymarket_events') }}

),

moment as (

    select * from {{ ref('int_as_of') }}

),

resolutions as (

    select
        market_id,
        max(case when is_resolved then 1 else 0 end) = 1 as is_resolved,
        max(case when is_voided then 1 else 0 end) = 1 as is_voided,
        max(case when payout = 1 then outcome end) as winning_outcome,
        max(resolved_at) as resolved_at
    from outcomes
    group by market_id

),

polymarket as (

    select
        'polymarket' as source,
        'market' as object_type,
        markets.condition_id as market_id,
        markets.event_slug,
        markets.slug,
        markets.title,
        -- Looked up with its tags or not, a market has those of its event.
        case when events.event_id is null then markets.tags else events.tags end as tags,
        markets.volume,
        markets.volume_24hr,
        markets.is_active,
        markets.is_closed,
        markets.is_archived,
        markets.is_accepting_orders,
        markets.start_date,
        markets.end_date,
        markets.observed_at,
        markets.first_loaded_at
    from polymarket_markets as markets
    left join events on markets.event_id = events.event_id

),

dome as (

    select
        'dome' as source,
        'dome_market' as object_type,
        dome_markets.condition_id as market_id,
        dome_markets.event_slug,
        dome_markets.slug,
        dome_markets.title,
        dome_markets.tags,
        dome_markets.volume,
        cast(null as {{ money_type() }}) as volume_24hr,
        not dome_markets.is_closed as is_active,
        dome_markets.is_closed,
        false as is_archived,
        not dome_markets.is_closed as is_accepting_orders,
        dome_markets.start_date,
        dome_markets.end_date,
        dome_markets.observed_at,
        dome_markets.first_loaded_at
    from dome_markets
    left join polymarket_markets on dome_markets.condition_id = polymarket_markets.condition_id
    where polymarket_markets.condition_id is null

),

all_markets as (

    select * from polymarket
    union all
    select * from dome

),

described as (

    select
        all_markets.source,
        all_markets.market_id,
        all_markets.event_slug,
        all_markets.slug,
        all_markets.title,
        coalesce(categories.category, 'Uncategorized') as category,
        categories.category_tag,
        categories.rule_type as category_rule_type,
        {{ join_distinct('all_markets.tags') }} as tags,
        case
            when resolutions.is_resolved then 'resolved'
            when resolutions.is_voided then 'voided'
            when all_markets.is_closed then 'closed'
            when
                not all_markets.is_active
                or (all_markets.start_date > moment.as_of and not all_markets.is_accepting_orders)
                then 'upcoming'
            when not all_markets.is_accepting_orders then 'suspended'
            else 'open'
        end as status,
        resolutions.winning_outcome,
        all_markets.volume,
        all_markets.volume_24hr,
        all_markets.is_active,
        all_markets.is_closed,
        all_markets.is_archived,
        all_markets.start_date,
        all_markets.end_date,
        resolutions.resolved_at,
        all_markets.observed_at,
        all_markets.first_loaded_at
    from all_markets
    cross join moment
    left join resolutions on all_markets.market_id = resolutions.market_id
    left join categories
        on
            all_markets.object_type = categories.object_type
            and all_markets.market_id = categories.object_id

)

select * from described
