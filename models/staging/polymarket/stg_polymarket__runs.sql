with runs as (

    select * from {{ raw_table('raw_polymarket', 'runs') }}

),

loads as (

    select * from {{ ref('stg_polymarket__loads') }}

),

renamed as (

    select
        -- ids
        runs.run_id,

        -- strings
        'polymarket' as venue,
        runs.command,
        runs.status,
        runs.error,

        -- numerics
        runs.wallets,
        runs.wallets_failed,
        runs.walks,
        runs.walks_failed,
        runs.requests,
        runs.trades_fetched,
        runs.activity_fetched,
        runs.markets_fetched,
        runs.events_fetched,
        runs.duration_ms,

        -- timestamps
        {{ utc_timestamp('runs.started_at') }} as started_at,
        {{ utc_timestamp('runs.ended_at') }} as ended_at,

        -- load metadata
        runs._dlt_load_id as load_id
    from runs
    inner join loads on runs._dlt_load_id = loads.load_id
    qualify row_number() over (partition by runs.run_id order by runs._dlt_load_id) = 1

)

select * from renamed
