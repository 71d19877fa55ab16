with loads as (

    select * from {{ raw_table('raw_dome', '_dlt_loads') }}

),

committed as (

    select
        load_id,
        {{ utc_timestamp('min(inserted_at)') }} as committed_at
    from loads
    where status = 0
    group by load_id

)

select * from committed
