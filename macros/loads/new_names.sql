{#- The outcomes whose names or fee schedule this model has still to take in, as rows of int_outcome_names. -#}
{% macro new_names() -%}
    select names.*
    from {{ ref('int_outcome_names') }} as names
    cross join (
        select coalesce(max(cast(processed.load_id as int64)), 0) as revision
        from {{ ref('int_processed_loads') }} as processed
        where
            processed.model = '{{ this.identifier }}'
            and processed.venue = 'names'
    ) as known
    where names.revision > known.revision
{%- endmacro %}
