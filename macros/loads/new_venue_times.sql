{#- The times of the rows of venues of prices that this model has still to take in, as a query of first_at and last_at.
    Args:
        relation: what the model reads, with venue, load_id and fetched_at.
        column: the time.
        from_model, day: as for new_loads() and of first_fetch(). -#}
{% macro new_venue_times(relation, column, from_model, day) -%}
    select
        venue_rows.{{ column }} as first_at,
        venue_rows.{{ column }} as last_at
    from {{ relation }} as venue_rows
    inner join ({{ new_loads(from_model) }}) as new_loads
        on
            venue_rows.load_id = new_loads.load_id
            and venue_rows.venue = new_loads.venue
    where {{ fetched_since('venue_rows.fetched_at', day) }}
{%- endmacro %}
