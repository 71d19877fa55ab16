with trades as (

    select * from {{ ref('trades') }}
    where market_id is not null

),

entries as (

    select * from {{ ref('int_ledger_entries') }}
    where entry_type = 'CONVERSION'

),

markets as (

    select
        condition_id,
        event_id
    from {{ ref('int_polymarket_markets') }}

),

events as (

    select
        event_id,
        condition_ids
    from {{ ref('int_polymarket_events') }}

),

traded as (

    select
        venue,
        market_id,
        count(*) as trades,
        sum(case when source = 'dome_orders' then 0 else 1 end) > 0 as is_on_polymarket,
        max(first_loaded_at) as last_loaded_at
    from trades
    group by venue, market_id

),

-- A conversion reaches every market of its event, also those that nobody known has traded.
converted_events as (

    select distinct markets.event_id
    from entries
    inner join markets on entries.condition_id = markets.condition_id

),

converted as (

    select distinct lower(legs.condition_id) as market_id
    from converted_events
    inner join events on converted_events.event_id = events.event_id
    {{ unnest_array('events.condition_ids', 'condition_id', 'place', 'legs') }}

),

traded_markets as (

    select
        coalesce(traded.venue, 'polymarket') as venue,
        coalesce(traded.market_id, converted.market_id) as market_id,
        coalesce(traded.trades, 0) as trades,
        coalesce(traded.is_on_polymarket, false) or converted.market_id is not null as is_on_polymarket,
        traded.last_loaded_at
    from traded
    full outer join converted on traded.market_id = converted.market_id

)

select * from traded_markets
