{#- Post-hook of an incremental model: notes the loads that it has taken in. On DuckDB in the transaction of the model's
    own rows; on BigQuery right after them, and a load that is taken in twice changes nothing.
    Args: from_model: as for new_loads(). -#}
{% macro remember_loads(from_model=none) -%}
    {%- if not (execute and flags.EMPTY) -%}
    insert into {{ ref('int_processed_loads') }} (model, venue, load_id)
    select
        '{{ this.identifier }}' as model,
        loads.venue,
        loads.load_id
    from {{ ref('int_loads') }} as loads
    {%- if from_model is not none %}
    inner join {{ ref('int_processed_loads') }} as offered
        on
            loads.venue = offered.venue
            and loads.load_id = offered.load_id
            and offered.model = '{{ from_model }}'
    {%- endif %}
    left join {{ ref('int_processed_loads') }} as processed
        on
            loads.venue = processed.venue
            and loads.load_id = processed.load_id
            and processed.model = '{{ this.identifier }}'
    where processed.load_id is null
    {%- endif -%}
{%- endmacro %}
