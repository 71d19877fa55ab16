{#- Post-hook of an incremental model: notes up to which revision of int_outcome_names it has taken in, as
    remember_loads() does for loads. -#}
{% macro remember_names() -%}
    {%- if not (execute and flags.EMPTY) -%}
    insert into {{ ref('int_processed_loads') }} (model, venue, load_id)
    select
        '{{ this.identifier }}' as model,
        'names' as venue,
        cast(newest.revision as string) as load_id
    from (
        select max(names.revision) as revision
        from {{ ref('int_outcome_names') }} as names
    ) as newest
    left join {{ ref('int_processed_loads') }} as processed
        on
            processed.model = '{{ this.identifier }}'
            and processed.venue = 'names'
            and cast(newest.revision as string) = processed.load_id
    where
        newest.revision is not null
        and processed.load_id is null
    {%- endif -%}
{%- endmacro %}
