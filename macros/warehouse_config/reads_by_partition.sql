{#- True where an increment should name, in constants, the partitions that it reads: only constants keep BigQuery from
    reading all others. They are asked of the warehouse while the model is compiled, so never in a unit test, whose
    relations are fixtures without a schema, and not offline. -#}
{% macro reads_by_partition() -%}
    {{ return(adapter.dispatch('reads_by_partition', 'polyomega')()) }}
{%- endmacro %}

{% macro default__reads_by_partition() -%}
    {{ exceptions.raise_compiler_error("reads_by_partition is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__reads_by_partition() -%}
    {{ return(execute and flags.INTROSPECT and is_incremental() and ref('int_loads').schema is not none) }}
{%- endmacro %}

{#- DuckDB keeps the least and the greatest value of each part of a column, and skips by what a join finds. -#}
{% macro duckdb__reads_by_partition() -%} {{ return(false) }} {%- endmacro %}
