{#- The rows of a venue's raw table: its key columns under their own names, then payload and load metadata.
    Args: keys: what a column is called here -> what it is called there. -#}
{% macro venue_rows(venue, table, keys) -%}
with raw_rows as (

    select * from {{ raw_table('raw_' ~ venue, table) }}

),

loads as (

    select * from {{ ref('stg_venues__loads') }}
    where venue = '{{ venue }}'

),

renamed as (

    select
        {%- for name, key in keys.items() %}
        raw_rows.{{ key }} as {{ name }},
        {%- endfor %}
        raw_rows.payload,

        -- load metadata
        {{ utc_timestamp('raw_rows.fetched_at') }} as fetched_at,
        raw_rows.walk_id,
        raw_rows.walk_position,
        raw_rows._dlt_load_id as load_id
    from raw_rows
    inner join loads on raw_rows._dlt_load_id = loads.load_id

)

select * from renamed
{%- endmacro %}
