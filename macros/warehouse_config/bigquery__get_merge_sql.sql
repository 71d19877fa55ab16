{#- dbt's merge for BigQuery, with the partitions that it can touch as constants: only constants keep the others from
    being read. They are those of this run's own rows, asked of them before the merge, so that a late row brings its old
    partition with it, and none in between. A row's earlier version may differ in time by up to merge_window_days.
    Args: as dbt's own; `source` is a query in parentheses. -#}
{% macro bigquery__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {%- set predicates = [] + (incremental_predicates or []) -%}
    {%- set partition = config.get('partition_by') -%}
    {%- if unique_key and partition -%}
        {%- set times = 'select ' ~ partition['field'] ~ ' as first_at, ' ~ partition['field'] ~ ' as last_at from '
            ~ source ~ ' as batch' -%}
        {%- set stretches = time_stretches(times, partition['granularity']) -%}
        {%- do predicates.append(in_stretches('DBT_INTERNAL_DEST.' ~ partition['field'], stretches)) -%}
    {%- endif -%}
    {{ dbt.default__get_merge_sql(target, source, unique_key, dest_columns, predicates) }}
{%- endmacro %}
