{#- A condition on the rows of `DBT_INTERNAL_DEST` whose time lies in a partition that the given rows lie in, or within
    merge_window_days of one of their times. In constants: neighbouring partitions as one stretch.
    Args:
        source: a query in parentheses, of the rows to merge.
        field: column of the time, in both.
        granularity: `day`, `month` or `year`. -#}
{% macro touched_partitions(source, field, granularity) -%}
    {%- set question -%}
        select distinct
            format_timestamp('%Y-%m-%d', timestamp_trunc(nearby, {{ granularity }})) as begins,
            format_date(
                '%Y-%m-%d', date_add(date(timestamp_trunc(nearby, {{ granularity }})), interval 1 {{ granularity }})
            ) as ends
        from {{ source }} as batch
        cross join unnest([
            timestamp_sub(batch.{{ field }}, interval {{ var('merge_window_days') }} day),
            batch.{{ field }},
            timestamp_add(batch.{{ field }}, interval {{ var('merge_window_days') }} day)
        ]) as nearby
        order by begins
    {%- endset -%}
    {%- set stretches = [] -%}
    {%- set conditions = [] -%}
    {%- for row in run_query(question) -%}
        {%- if row['begins'] is none -%}
            {%- do conditions.append('DBT_INTERNAL_DEST.' ~ field ~ ' is null') -%}
        {%- else -%}
            {%- set begins = stretches.pop()[0] if stretches and stretches[-1][1] | string == row['begins'] | string
                else row['begins'] -%}
            {%- do stretches.append((begins, row['ends'])) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for begins, ends in stretches -%}
        {%- do conditions.append(
            "DBT_INTERNAL_DEST." ~ field ~ " >= timestamp '" ~ begins ~ "' and DBT_INTERNAL_DEST." ~ field
            ~ " < timestamp '" ~ ends ~ "'"
        ) -%}
    {%- endfor -%}
    {{ return('(' ~ conditions | join(') or (') ~ ')' if conditions else 'false') }}
{%- endmacro %}
