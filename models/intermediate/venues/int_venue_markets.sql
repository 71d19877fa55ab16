{{ config(materialized='view') }}

with all_markets as (

    {{ union_venues('markets', {
        'market_id': 'string',
        'event_slug': 'string',
        'slug': 'string',
        'title': 'string',
        'venue_category': 'string',
        'status': 'string',
        'winning_outcome': 'string',
        'volume': money_type(),
        'volume_24hr': money_type(),
        'volume_unit': 'string',
        'winners': 'int64',
        'profit_share': money_type(),
        'start_date': 'timestamp',
        'end_date': 'timestamp',
        'resolved_at': 'timestamp',
        'observed_at': 'timestamp',
        'first_loaded_at': 'timestamp',
    }) }}

),

rules as (

    select * from {{ ref('venue_categories') }}

),

categorized as (

    select
        all_markets.*,
        coalesce(rules.category, 'Uncategorized') as category
    from all_markets
    left join rules
        on
            all_markets.venue = rules.venue
            and {{ slugify('all_markets.venue_category') }} = rules.venue_category

)

select * from categorized
