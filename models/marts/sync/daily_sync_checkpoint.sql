{{ config(materialized='view') }}

with polymarket_runs as (

    select * from {{ ref('stg_polymarket__runs') }}

),

dome_runs as (

    select * from {{ ref('stg_dome__runs') }}

),

run_loads as (

    select * from {{ ref('int_run_loads') }}

),

first_rows as (

    select * from {{ ref('int_first_rows') }}

),

runs as (

    select * from polymarket_runs
    union all
    select * from dome_runs
    union all
    select
        run_id,
        venue,
        command,
        status,
        error,
        wallets,
        wallets_failed,
        walks,
        walks_failed,
        requests,
        trades_fetched,
        activity_fetched,
        markets_fetched,
        events_fetched,
        duration_ms,
        started_at,
        ended_at,
        load_id
    from {{ ref('stg_venues__runs') }}

),

added as (

    select
        run_loads.run_id,
        sum(first_rows.trades) as trades_added,
        sum(first_rows.markets) as markets_added,
        sum(first_rows.events) as events_added
    from run_loads
    inner join first_rows on run_loads.committed_at = first_rows.first_loaded_at
    group by run_loads.run_id

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
