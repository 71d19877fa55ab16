{{ config(cluster_by=clustering(['venue', 'price_date', 'market_id'])) }}

with snapshots as (

    select
        venue,
        market_id,
        snapshot_time,
        fidelity = 'observed' as is_observed,
        cast(snapshot_time as date) as price_date
    from {{ ref('price_snapshots') }}

),

-- What each run reads for the prices of the moment.
runs as (

    select
        venue,
        run_id,
        cast(max(ended_at) as date) as price_date
    from {{ ref('stg_venues__walks') }}
    where {{ reads_prices() }}
    group by venue, run_id

),

days as (

    select
        venue,
        price_date,
        count(*) as reads
    from runs
    group by venue, price_date

),

-- From when to when a market was told.
markets as (

    select
        venue,
        market_id,
        min(price_date) as first_day,
        max(price_date) as last_day
    from snapshots
    where is_observed
    group by venue, market_id

),

expected as (

    select
        markets.venue,
        markets.market_id,
        days.price_date,
        days.reads,
        -- Before it was told first, and after it was told last, it may not have been listed.
        days.price_date > markets.first_day and days.price_date < markets.last_day as is_whole_day
    from markets
    inner join days
        on
            markets.venue = days.venue
            and days.price_date between markets.first_day and markets.last_day

),

-- All contracts of a market are told at one moment.
told as (

    select
        venue,
        market_id,
        price_date,
        count(distinct case when is_observed then snapshot_time end) as observations,
        sum(case when is_observed then 0 else 1 end) as history_points
    from snapshots
    group by venue, market_id, price_date

),

covered as (

    select
        coalesce(expected.venue, told.venue) as venue,
        coalesce(expected.market_id, told.market_id) as market_id,
        coalesce(expected.price_date, told.price_date) as price_date,
        cast(coalesce(expected.reads, 0) as int64) as reads,
        cast(coalesce(told.observations, 0) as int64) as observations,
        cast(coalesce(told.history_points, 0) as int64) as history_points,
        coalesce(expected.is_whole_day, false) as is_whole_day
    from expected
    full outer join told
        on
            expected.venue = told.venue
            and expected.market_id = told.market_id
            and expected.price_date = told.price_date

)

select * from covered
