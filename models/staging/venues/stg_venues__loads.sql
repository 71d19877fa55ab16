with committed as (
    {%- for venue in price_venues() %}

    select
        '{{ venue }}' as venue,
        load_id,
        {{ utc_timestamp('min(inserted_at)') }} as committed_at
    from {{ raw_table('raw_' ~ venue, '_dlt_loads') }}
    where status = 0
    group by load_id
    {{- "\n    union all" if not loop.last }}
    {%- else %}
    {{ no_rows({'venue': 'string', 'load_id': 'string', 'committed_at': 'timestamp'}) }}
    {%- endfor %}

)

select * from committed
