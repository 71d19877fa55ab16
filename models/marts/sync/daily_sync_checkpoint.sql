with polymarket_runs as (

    select * from {{ ref('stg_polymarket__runs') }}

),

dome_runs as (

    select * from {{ ref('stg_dome__runs') }}

),

polymarket_walks as (

    select
        run_id,
        load_id
    from {{ ref('stg_polymarket__walks') }}

),

dome_walks as (

    select
        run_id,
        load_id
    from {{ ref('stg_dome__walks') }}

),

loads as (

    select * from {{ ref('int_loads') }}

),

trades as (

    select * from {{ ref('trades') }}

),

markets as (

    select * from {{ ref('markets') }}

),

events as (

    select * from {{ ref('events') }}

),

runs as (

    select * from polymarket_runs
    union all
    select * from dome_runs

),

walk_loads as (

    select
        'polymarket' as venue,
        run_id,
        load_id
    from polymarket_walks
    union distinct
    select
        'dome' as venue,
        run_id,
        load_id
    from dome_walks

),

first_rows as (

    select
        first_loaded_at,
        count(*) as trades,
        0 as markets,
        0 as events
    from trades
    group by first_loaded_at
    union all
    select
        first_loaded_at,
        0 as trades,
        count(*) as markets,
        0 as events
    from markets
    group by first_loaded_at
    union all
    select
        first_loaded_at,
        0 as trades,
        0 as markets,
        count(*) as events
    from events
    group by first_loaded_at

),

-- A row counts for the run whose load brought it first: what a run only read again is not new.
added as (

    select
        walk_loads.run_id,
        sum(first_rows.trades) as trades_added,
        sum(first_rows.markets) as markets_added,
        sum(first_rows.events) as events_added
    from walk_loads
    inner join loads
        on
            walk_loads.venue = loads.venue
            and walk_loads.load_id = loads.load_id
    inner join first_rows on loads.committed_at = first_rows.first_loaded_at
    group by walk_loads.run_id

),

checkpoints as (

    select
        runs.run_id,
        runs.venue,
        runs.command,
        runs.status,
        runs.error as error_message,
        runs.trades_fetched,
        runs.activity_fetched,
        runs.markets_fetched,
        runs.events_fetched,
        cast(coalesce(added.trades_added, 0) as int64) as trades_added,
        cast(coalesce(added.markets_added, 0) as int64) as markets_added,
        cast(coalesce(added.events_added, 0) as int64) as events_added,
        runs.wallets as wallets_processed,
        runs.wallets_failed,
        runs.walks_failed,
        runs.requests,
        cast(runs.duration_ms as {{ double_type() }}) / 1000 as sync_duration_seconds,
        runs.started_at,
        runs.ended_at as last_sync_time
    from runs
    left join added on runs.run_id = added.run_id

)

select * from checkpoints
