{#- The times of the entries that this model has still to take in, as a query of wallet_address, token_id, first_at and
    last_at.
    Args: from_model, day: as for new_loads() and of first_fetch(). -#}
{% macro new_times(from_model, day) -%}
    {%- set tables = [
        ('polymarket', ref('stg_polymarket__trades')),
        ('polymarket', ref('stg_polymarket__activity')),
        ('dome', ref('stg_dome__orders')),
    ] -%}
    {#- What is no fill has no place in models that read another one. -#}
    {%- if from_model is none -%} {%- do tables.append(('dome', ref('stg_dome__activity'))) -%} {%- endif -%}
    {%- for venue, table in tables %}
    select
        entries.wallet_address,
        entries.token_id,
        entries.traded_at as first_at,
        entries.traded_at as last_at
    from {{ table }} as entries
    inner join ({{ new_loads(from_model) }}) as new_loads
        on
            entries.load_id = new_loads.load_id
            and new_loads.venue = '{{ venue }}'
    where {{ fetched_since('entries.fetched_at', day) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}
