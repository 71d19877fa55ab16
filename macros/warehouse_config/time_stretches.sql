{#- The stretches of time that hold the partitions of some times, and merge_window_days before and after each, as a list
    of [begin, end] (`2026-05-01`, the end outside); [none, none] stands for rows without a time. A venue can say
    any time: what is before the year 2 or after 9997 counts as the beginning or the end of time. BigQuery only.
    Args:
        times: a query of first_at and last_at; what lies between them counts, too.
        granularity: of the partitions: `day`, `month` or `year`. -#}
{% macro time_stretches(times, granularity) -%}
    {%- set question -%}
        select distinct
            cast(date(timestamp_trunc(
                timestamp_sub(
                    greatest(times.first_at, timestamp '0002-01-01'), interval {{ var('merge_window_days') }} day
                ),
                {{ granularity }}
            )) as string) as begins,
            cast(date_add(
                date(timestamp_trunc(
                    timestamp_add(
                        least(times.last_at, timestamp '9998-01-01'), interval {{ var('merge_window_days') }} day
                    ),
                    {{ granularity }}
                )),
                interval 1 {{ granularity }}
            ) as string) as ends
        from ({{ times }}) as times
        order by begins
    {%- endset -%}
    {%- set stretches = [] -%}
    {%- for row in run_query(question) -%}
        {%- if row['begins'] is none -%}
            {%- do stretches.append([none, none]) -%}
        {%- else -%}
            {%- set begins, ends = row['begins'] | string, row['ends'] | string -%}
            {%- if stretches and stretches[-1][0] is not none and begins <= stretches[-1][1] -%}
                {%- set begins, before = stretches.pop() -%}
                {%- set ends = [before, ends] | max -%}
            {%- endif -%}
            {%- do stretches.append([begins, ends]) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(stretches) }}
{%- endmacro %}
