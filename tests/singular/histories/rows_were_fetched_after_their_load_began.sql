-- An increment reads the days of raw rows from its loads' begin on. A row of an earlier day would be lost, where that
-- begin is taken for true: first_fetch() says where.
{% set tables = [
    ('polymarket', 'trades'), ('polymarket', 'activity'), ('polymarket', 'markets'), ('polymarket', 'events'),
    ('dome', 'orders'), ('dome', 'activity'), ('dome', 'markets'),
] %}
with loads as (

    select
        venue,
        load_id,
        committed_at,
        {{ load_began_at('load_id') }} as began_at
    from {{ ref('int_loads') }}

),

raw_rows as (
    {%- for venue, table in tables %}
    select
        '{{ venue }}' as venue,
        load_id,
        min(fetched_at) as first_fetched_at
    from {{ ref('stg_' ~ venue ~ '__' ~ table) }}
    group by load_id
    {{- "\n    union all" if not loop.last }}
    {%- endfor %}

),

too_early as (

    select
        loads.venue,
        loads.load_id,
        loads.began_at,
        raw_rows.first_fetched_at
    from raw_rows
    inner join loads
        on
            raw_rows.venue = loads.venue
            and raw_rows.load_id = loads.load_id
    where
        loads.began_at <= loads.committed_at
        and raw_rows.first_fetched_at < {{ timestamp_minus_days('loads.began_at', 1) }}

)

select * from too_early
