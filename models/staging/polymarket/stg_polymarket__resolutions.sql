with resolutions as (

    select * from {{ raw_table('raw_polymarket', 'resolutions') }}

),

loads as (

    select * from {{ ref('stg_polymarket__loads') }}

),

renamed as (

    select
        -- ids
        lower(resolutions.condition_id) as condition_id,

        -- strings
        lower(resolutions.status) as resolution_status,
        -- A JSON list of millionths of a dollar per share, one per outcome.
        resolutions.payouts,
        resolutions.payload,

        -- timestamps
        {{ parse_timestamp('resolutions.resolved_at') }} as resolved_at,

        -- load metadata
        {{ utc_timestamp('resolutions.fetched_at') }} as fetched_at,
        resolutions.walk_id,
        resolutions.walk_position,
        resolutions._dlt_load_id as load_id
    from resolutions
    inner join loads on resolutions._dlt_load_id = loads.load_id

)

select * from renamed
