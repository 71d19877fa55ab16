-- How many rows of public tables each load was the first to bring, by the load's commit time. What a load only read
-- again is not new.
with trades as (

    select
        first_loaded_at,
        count(*) as row_count
    from {{ ref('trades') }}
    group by first_loaded_at

),

markets as (

    select
        first_loaded_at,
        count(*) as row_count
    from {{ ref('markets') }}
    group by first_loaded_at

),

events as (

    select
        first_loaded_at,
        count(*) as row_count
    from {{ ref('events') }}
    group by first_loaded_at

),

all_rows as (

    select
        'trades' as table_name,
        first_loaded_at,
        row_count
    from trades
    union all
    select
        'markets' as table_name,
        first_loaded_at,
        row_count
    from markets
    union all
    select
        'events' as table_name,
        first_loaded_at,
        row_count
    from events

),

first_rows as (

    select
        first_loaded_at,
        sum(case when table_name = 'trades' then row_count else 0 end) as trades,
        sum(case when table_name = 'markets' then row_count else 0 end) as markets,
        sum(case when table_name = 'events' then row_count else 0 end) as events
    from all_rows
    group by first_loaded_at

)

select * from first_rows
