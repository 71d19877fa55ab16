with loads as (

    select
        venue,
        load_id
    from {{ ref('stg_venues__loads') }}

),

renamed as (
    {%- for venue in price_venues() %}

    select
        '{{ venue }}' as venue,
        walks.walk_id,
        walks.run_id,
        walks.resource,
        walks.scope,
        walks.status,
        walks.error,
        walks.pages,
        walks.row_count,
        walks.requests,
        walks.duration_ms,
        {{ utc_timestamp('walks.bound_from') }} as bound_from,
        {{ utc_timestamp('walks.bound_to') }} as bound_to,
        {{ utc_timestamp('walks.venue_time') }} as venue_time,
        {{ utc_timestamp('walks.started_at') }} as started_at,
        {{ utc_timestamp('walks.ended_at') }} as ended_at,
        walks._dlt_load_id as load_id
    from {{ raw_table('raw_' ~ venue, 'walks') }} as walks
    inner join loads
        on
            walks._dlt_load_id = loads.load_id
            and loads.venue = '{{ venue }}'
    {{- "\n    union all" if not loop.last }}
    {%- else %}
    {{ no_rows({
        'venue': 'string', 'walk_id': 'string', 'run_id': 'string', 'resource': 'string', 'scope': 'string', 'status': 'string', 'error': 'string', 'pages': 'int64', 'row_count': 'int64', 'requests': 'int64', 'duration_ms': 'int64', 'bound_from': 'timestamp', 'bound_to': 'timestamp', 'venue_time': 'timestamp', 'started_at': 'timestamp', 'ended_at': 'timestamp', 'load_id': 'string',
    }) }}
    {%- endfor %}

)

select * from renamed
