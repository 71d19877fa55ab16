{#- Makes a table or view of DuckDB anew under its own name, in one transaction: whoever opens the file sees the old one
    or the new one. dbt-duckdb would make it beside the old one and rename both, and each renaming takes dbt longer than
    the SQL of most models takes DuckDB. For what this project's models have: no indexes, grants or foreign keys.
    Args: type: `table` or `view`. -#}
{% macro duckdb_replace(type) -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type=type) -%}
    {{ run_hooks(pre_hooks, inside_transaction=false) }}
    {{ run_hooks(pre_hooks, inside_transaction=true) }}
    {% call statement('main') -%}
        {%- if existing is not none %}
        drop {{ existing.type }} {{ existing }};
        {%- endif %}
        {{ create_table_as(false, target, compiled_code) if type == 'table' else get_create_view_as_sql(target, compiled_code) }}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=true) }}
    {% do persist_docs(target, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=false) }}
    {{ return({'relations': [target]}) }}
{%- endmacro %}
