{{ config(materialized='view') }}

with all_events as (

    {{ union_venues('events', {
        'event_slug': 'string',
        'title': 'string',
        'venue_category': 'string',
        'is_exclusive': 'bool',
        'start_date': 'timestamp',
        'end_date': 'timestamp',
        'first_loaded_at': 'timestamp',
    }) }}

),

rules as (

    select * from {{ ref('venue_categories') }}

),

categorized as (

    select
        all_events.*,
        coalesce(rules.category, 'Uncategorized') as category
    from all_events
    left join rules
        on
            all_events.venue = rules.venue
            and {{ slugify('all_events.venue_category') }} = rules.venue_category

)

select * from categorized
