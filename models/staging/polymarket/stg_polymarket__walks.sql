with walks as (

    select * from {{ raw_table('raw_polymarket', 'walks') }}

),

loads as (

    select * from {{ ref('stg_polymarket__loads') }}

),

renamed as (

    select
        -- ids
        walks.walk_id,
        walks.run_id,

        -- strings
        'polymarket' as venue,
        walks.resource,
        lower(walks.scope) as scope,
        walks.status,
        walks.error,

        -- numerics
        walks.pages,
        walks.row_count,
        walks.requests,
        walks.duration_ms,

        -- timestamps
        {{ utc_timestamp('walks.bound_from') }} as bound_from,
        {{ utc_timestamp('walks.bound_to') }} as bound_to,
        {{ utc_timestamp('walks.newest_item_at') }} as newest_item_at,
        {{ utc_timestamp('walks.oldest_item_at') }} as oldest_item_at,
        {{ utc_timestamp('walks.venue_time') }} as venue_time,
        {{ utc_timestamp('walks.started_at') }} as started_at,
        {{ utc_timestamp('walks.ended_at') }} as ended_at,

        -- load metadata
        walks._dlt_load_id as load_id
    from walks
    inner join loads on walks._dlt_load_id = loads.load_id

)

select * from renamed
