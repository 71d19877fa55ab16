{#- A raw table, or an empty one of the declared columns where nothing was ever loaded into it: models must build on a
    new warehouse, and with one venue alone.
    Args: source_name, table_name: as for source(). -#}
{% macro raw_table(source_name, table_name) -%}
    {%- set relation = source(source_name, table_name) -%}
    {#- Parsing and offline compiling know no warehouse: there the table counts as present. In a unit test the relation
        is a fixture and has no schema. -#}
    {%- set is_missing = (
        execute and flags.INTROSPECT and relation.schema
        and adapter.get_relation(relation.database, relation.schema, relation.identifier) is none
    ) -%}
    {%- if is_missing -%}
        {%- set name = 'source.' ~ project_name ~ '.' ~ source_name ~ '.' ~ table_name -%}
        (
            select
                {%- for column in graph.sources[name].columns.values() %}
                cast(null as {{ raw_type(column.data_type) }}) as {{ column.name }}{{ "," if not loop.last }}
                {%- endfor %}
            from (select 1 as nothing) as nothing
            where nothing.nothing = 0
        )
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}
