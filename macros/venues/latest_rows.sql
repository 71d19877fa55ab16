{#- The body of an incremental model that keeps, of several raw tables, the row of each thing that was read last. Its
    columns: resource (the raw table), thing_id, payload, and what newest_reading() adds; the key is `thing_key`.
    Args: ids: raw table -> column of its staging model that names the thing. -#}
{% macro latest_rows(venue, ids) -%}
{%- set day = first_fetch() -%}
with all_rows as (

    {%- for resource, id in ids.items() %}
    select
        concat('{{ resource }}:', {{ id }}) as thing_key,
        '{{ resource }}' as resource,
        {{ id }} as thing_id,
        payload,
        fetched_at,
        walk_id,
        walk_position,
        load_id
    from {{ ref('stg_' ~ venue ~ '__' ~ resource) }}
    where
        {{ id }} != ''
        and {{ fetched_since('fetched_at', day) }}
    {{- "\n    union all" if not loop.last }}
    {%- endfor %}

),

{{ new_readings('all_rows', venue, 'thing_key', is_bounded=true) }},

renamed as (

    select
        thing_key,
        resource,
        thing_id,
        payload,
        first_loaded_at,
        fetched_at,
        walk_id,
        walk_position
    from new_rows

),

{{ newest_reading('thing_key', ['resource', 'thing_id', 'payload']) }}
{%- endmacro %}
