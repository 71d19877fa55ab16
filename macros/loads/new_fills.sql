{#- What the loads of the CTE `new_loads` say anything about fills: a new one, a better source of known ones, a fee. A
    query with distinct rows of the columns, which all three feeds have.
    Args:
        columns: names of columns.
        day: as of first_fetch(). -#}
{% macro new_fills(columns, day) -%}
    {%- set feeds = [
        ('trades', ref('stg_polymarket__trades'), 'polymarket'),
        ('activity', ref('stg_polymarket__activity'), 'polymarket'),
        ('orders', ref('stg_dome__orders'), 'dome'),
    ] -%}
    {%- for feed, relation, venue in feeds %}
    select
        {%- for column in columns %}
        {{ feed }}.{{ column }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ relation }} as {{ feed }}
    inner join new_loads
        on
            {{ feed }}.load_id = new_loads.load_id
            and new_loads.venue = '{{ venue }}'
    where
        {{ fetched_since(feed ~ '.fetched_at', day) }}
        {%- if feed == 'activity' %}
        and activity.entry_type = 'TRADE'
        {%- endif %}
    {%- if not loop.last %}
    union distinct
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
