with markets as (

    select
        condition_id,
        event_id,
        event_slug,
        venue_category,
        fee_type,
        tags
    from {{ ref('int_polymarket_markets') }}

),

dome_markets as (

    select
        condition_id,
        event_slug,
        tags
    from {{ ref('int_dome_markets') }}

),

events as (

    select
        event_id,
        event_slug,
        tags
    from {{ ref('int_polymarket_events') }}

),

rules as (

    select * from {{ ref('category_rules') }}
    where category is not null

),

overrides as (

    select * from {{ ref('category_overrides') }}
    where venue = 'polymarket'

),

all_objects as (

    select
        'market' as object_type,
        condition_id as object_id,
        condition_id as market_id,
        event_slug
    from markets
    union all
    select
        'dome_market' as object_type,
        condition_id as object_id,
        condition_id as market_id,
        event_slug
    from dome_markets
    union all
    select
        'event' as object_type,
        event_id as object_id,
        cast(null as string) as market_id,
        event_slug
    from events

),

-- What somebody has decided about one market or event by name.
market_overrides as (

    select
        all_objects.object_type,
        all_objects.object_id,
        overrides.category,
        overrides.object_id as category_tag,
        'market_override' as rule_type,
        -2 as priority
    from all_objects
    inner join overrides on all_objects.market_id = overrides.object_id
    where overrides.object_type = 'market'

),

event_overrides as (

    select
        all_objects.object_type,
        all_objects.object_id,
        overrides.category,
        overrides.object_id as category_tag,
        'event_override' as rule_type,
        -1 as priority
    from all_objects
    inner join overrides on all_objects.event_slug = overrides.object_id
    where overrides.object_type = 'event'

),

market_tags as (

    select
        'market' as object_type,
        markets.condition_id as object_id,
        'tag' as rule_type,
        tags.tag
    from markets
    {{ unnest_array('markets.tags', 'tag', 'tag_index', 'tags') }}

),

dome_market_tags as (

    select
        'dome_market' as object_type,
        dome_markets.condition_id as object_id,
        'tag' as rule_type,
        tags.tag
    from dome_markets
    {{ unnest_array('dome_markets.tags', 'tag', 'tag_index', 'tags') }}

),

event_tags as (

    select
        'event' as object_type,
        events.event_id as object_id,
        'tag' as rule_type,
        tags.tag
    from events
    {{ unnest_array('events.tags', 'tag', 'tag_index', 'tags') }}

),

tags_of_markets_events as (

    select
        'market' as object_type,
        markets.condition_id as object_id,
        event_tags.rule_type,
        event_tags.tag
    from markets
    inner join event_tags on markets.event_id = event_tags.object_id

),

fee_types as (

    select
        'market' as object_type,
        condition_id as object_id,
        'fee_type' as rule_type,
        fee_type as tag
    from markets
    where fee_type is not null

),

-- Markets of 2020 to 2022 have a category of their own instead of tags.
venue_categories as (

    select
        'market' as object_type,
        condition_id as object_id,
        'tag' as rule_type,
        venue_category as tag
    from markets
    where venue_category is not null

),

candidates as (

    select * from market_tags
    union all
    select * from dome_market_tags
    union all
    select * from event_tags
    union all
    select * from tags_of_markets_events
    union all
    select * from fee_types
    union all
    select * from venue_categories

),

-- Labels and slugs of one tag differ in case and signs only. Few texts, many markets: each is spelled once.
spellings as (

    select
        rule_type,
        tag,
        {{ slugify('tag') }} as slug
    from candidates
    where rule_type = 'tag'
    group by rule_type, tag

),

spelled as (

    select
        candidates.object_type,
        candidates.object_id,
        candidates.rule_type,
        coalesce(spellings.slug, candidates.tag) as tag
    from candidates
    left join spellings
        on
            candidates.rule_type = spellings.rule_type
            and candidates.tag = spellings.tag

),

ruled as (

    select
        spelled.object_type,
        spelled.object_id,
        rules.category,
        rules.tag as category_tag,
        rules.rule_type,
        rules.priority
    from spelled
    inner join rules
        on
            spelled.rule_type = rules.rule_type
            and spelled.tag = rules.tag

),

fitting as (

    select * from ruled
    union all
    select * from event_overrides
    union all
    select * from market_overrides

),

decided as (

    select
        object_type,
        object_id,
        category,
        category_tag,
        rule_type
    from fitting
    qualify
        row_number() over (
            partition by object_type, object_id
            order by priority, category_tag
        ) = 1

)

select * from decided
