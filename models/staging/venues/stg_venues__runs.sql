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
        runs.run_id,
        runs.command,
        runs.status,
        runs.error,
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
        {{ utc_timestamp('runs.started_at') }} as started_at,
        {{ utc_timestamp('runs.ended_at') }} as ended_at,
        runs._dlt_load_id as load_id
    from {{ raw_table('raw_' ~ venue, 'runs') }} as runs
    inner join loads
        on
            runs._dlt_load_id = loads.load_id
            and loads.venue = '{{ venue }}'
    {{- "\n    union all" if not loop.last }}
    {%- else %}
    {{ no_rows({
        'venue': 'string', 'run_id': 'string', 'command': 'string', 'status': 'string', 'error': 'string', 'wallets': 'int64', 'wallets_failed': 'int64', 'walks': 'int64', 'walks_failed': 'int64', 'requests': 'int64', 'trades_fetched': 'int64', 'activity_fetched': 'int64', 'markets_fetched': 'int64', 'events_fetched': 'int64', 'duration_ms': 'int64', 'started_at': 'timestamp', 'ended_at': 'timestamp', 'load_id': 'string',
    }) }}
    {%- endfor %}

),

deduplicated as (

    select * from renamed
    qualify row_number() over (partition by venue, run_id order by load_id) = 1

)

select * from deduplicated
