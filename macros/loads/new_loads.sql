{#- The loads that this model has still to take in, as a query with venue, load_id and committed_at. Loads are
    recognised one by one and not by a watermark, because a load that began earlier may be committed later.
    Args:
        from_model: the incremental model that this one reads; none for models that read staging. Only what that model
            has taken in is offered, so that no choice of models can make this one skip a load. -#}
{% macro new_loads(from_model=none) -%}
    select
        loads.venue,
        loads.load_id,
        loads.committed_at
    from {{ ref('int_loads') }} as loads
    {%- if from_model is not none %}
    inner join {{ ref('int_processed_loads') }} as offered
        on
            loads.venue = offered.venue
            and loads.load_id = offered.load_id
            and offered.model = '{{ from_model }}'
    {%- endif %}
    {%- if is_incremental() %}
    left join {{ ref('int_processed_loads') }} as processed
        on
            loads.venue = processed.venue
            and loads.load_id = processed.load_id
            and processed.model = '{{ this.identifier }}'
    where processed.load_id is null
    {%- endif %}
{%- endmacro %}
