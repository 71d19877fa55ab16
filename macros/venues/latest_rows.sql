{#- The body of an incremental model that keeps, of several raw tables, the row of each thing that was read last. Its
    columns: resource (the raw table), thing_id, payload, and what newest_reading() adds; the key is `thing_key`.
    Args: ids: raw table -> column of its staging model that names the thing. -#}
{% macro latest_rows(venue, ids) -%}
with new_loads as (

    {{ new_loads() }}

),

all_rows as (

    {%- for resource, id in ids.items() %}
    select
        '{{ resource }}' as resource,
        {{ id }} as thing_id,
        payload,
        fetched_at,
        walk_id,
        walk_position,
        load_id
    from {{ ref('stg_' ~ venue ~ '__' ~ resource) }}
    {{- "\n    union all" if not loop.last }}
    {%- endfor %}

),

renamed as (

    select
        concat(all_rows.resource, ':', all_rows.thing_id) as thing_key,
        all_rows.resource,
        all_rows.thing_id,
        all_rows.payload,
        min(new_loads.committed_at) over (partition by all_rows.resource, all_rows.thing_id) as first_loaded_at,
        all_rows.fetched_at,
        all_rows.walk_id,
        all_rows.walk_position
    from all_rows
    inner join new_loads
        on
            all_rows.load_id = new_loads.load_id
            and new_loads.venue = '{{ venue }}'
    where all_rows.thing_id != ''
    qualify
        row_number() over (
            partition by all_rows.resource, all_rows.thing_id
            order by all_rows.fetched_at desc, all_rows.walk_id desc, all_rows.walk_position desc
        ) = 1

),

{{ newest_reading('thing_key', ['resource', 'thing_id', 'payload']) }}
{%- endmacro %}
