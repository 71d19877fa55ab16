{#- Ends a run before its first statement where a table or view of a name that the run would write is not of this project:
    BigQuery's `create or replace` asks nobody. Ours carry the label `project`. A seed gets it after its rows: one without,
    of the very columns that it should have, is of a run that was stopped between the two. A DuckDB file is the project's
    alone. -#}
{% macro refuse_strangers() -%}
    {{ return(adapter.dispatch('refuse_strangers', 'polyomega')()) }}
{%- endmacro %}

{% macro default__refuse_strangers() -%}
    {{ exceptions.raise_compiler_error("refuse_strangers is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__refuse_strangers() -%}
    {%- set names_by_dataset, seeds = {}, [] -%}
    {%- set nodes = graph.nodes.values() if execute else [] -%}
    {%- for node in nodes if node.unique_id in selected_resources -%}
        {%- if node.resource_type in ('model', 'seed', 'snapshot') and node.config.materialized != 'ephemeral' -%}
            {%- do names_by_dataset.setdefault((node.database, node.schema), []).append(node.alias) -%}
        {%- endif -%}
        {%- if node.resource_type == 'seed' -%}
            {%- do seeds.append(node.alias ~ ':' ~ node.columns | sort | join(',')) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set strangers = [] -%}
    {%- for (project, dataset), names in names_by_dataset.items() -%}
        {%- set question -%}
            select tables.table_name
            from `{{ project }}`.`{{ dataset }}`.INFORMATION_SCHEMA.TABLES as tables
            left join `{{ project }}`.`{{ dataset }}`.INFORMATION_SCHEMA.TABLE_OPTIONS as options
                on
                    tables.table_name = options.table_name
                    and options.option_name = 'labels'
                    and options.option_value like '%STRUCT("project", "{{ project_name }}")%'
            left join (
                select
                    columns.table_name,
                    string_agg(columns.column_name, ',' order by columns.column_name) as names
                from `{{ project }}`.`{{ dataset }}`.INFORMATION_SCHEMA.COLUMNS as columns
                group by columns.table_name
            ) as columns on tables.table_name = columns.table_name
            where
                options.table_name is null
                and tables.table_name in ('{{ names | join("', '") }}')
                and concat(tables.table_name, ':', coalesce(columns.names, '')) not in ('{{ seeds | join("', '") }}')
        {%- endset -%}
        {%- for row in run_query(question) -%}
            {%- do strangers.append(dataset ~ '.' ~ row['table_name']) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if strangers -%}
        {{ exceptions.raise_compiler_error(
            strangers | sort | join(', ') ~ ' is there and not of this project (without its label `project: '
            ~ project_name ~ '`); nothing was changed. Set DESTINATION__BIGQUERY__DATASET_PREFIX, which begins the names '
            ~ 'of all datasets'
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__refuse_strangers() -%} {%- endmacro %}
