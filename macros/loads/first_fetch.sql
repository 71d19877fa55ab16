{#- The day from which on all rows lie that this model has still to take in, `2026-05-01`: raw tables have a partition per
    day, and a row is fetched after its load began. A day of slack, for a clock that is set back.
    `false` where there is nothing to take in. None where nobody can say, and all days are read: in a full build, and
    for loads whose name is no time, or one after their commit (brought from elsewhere by hand, say).
    Args: from_model: as for new_loads(). -#}
{% macro first_fetch(from_model=none) -%}
    {%- if not reads_by_partition() -%} {{ return(none) }} {%- endif -%}
    {%- set question -%}
        select
            count(*) as loads,
            countif(loads.began_at is null or loads.began_at > loads.committed_at) as strange,
            cast(date(timestamp_sub(min(loads.began_at), interval 1 day)) as string) as day
        from (
            select
                new_loads.committed_at,
                {{ load_began_at('new_loads.load_id') }} as began_at
            from ({{ new_loads(from_model) }}) as new_loads
        ) as loads
    {%- endset -%}
    {%- set answer = run_query(question)[0] -%}
    {%- if answer['strange'] > 0 -%} {{ return(none) }} {%- endif -%}
    {{ return(answer['day'] | string if answer['loads'] > 0 else false) }}
{%- endmacro %}
