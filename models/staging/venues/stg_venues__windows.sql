with loads as (

    select
        venue,
        load_id
    from {{ ref('stg_venues__loads') }}
    union all
    select
        'polymarket' as venue,
        load_id
    from {{ ref('stg_polymarket__loads') }}

),

renamed as (
    {%- for venue in price_venues() + ['polymarket'] %}

    select
        '{{ venue }}' as venue,
        windows.run_id,
        windows.resource,
        windows.scope,
        {{ utc_timestamp('windows.bound_from') }} as bound_from,
        {{ utc_timestamp('windows.bound_to') }} as bound_to,
        {{ utc_timestamp('windows.planned_at') }} as planned_at,
        windows._dlt_load_id as load_id
    from {{ raw_table('raw_' ~ venue, 'windows') }} as windows
    inner join loads
        on
            windows._dlt_load_id = loads.load_id
            and loads.venue = '{{ venue }}'
    {{- "\n    union all" if not loop.last }}
    {%- endfor %}

)

select * from renamed
