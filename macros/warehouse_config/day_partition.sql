{#- Partition by day (or `granularity`) for BigQuery; none on DuckDB, where a dict does not compile. -#}
{% macro day_partition(column, granularity='day') -%}
    {{ return(adapter.dispatch('day_partition', 'polyomega')(column, granularity)) }}
{%- endmacro %}

{% macro default__day_partition(column, granularity) -%}
    {{ exceptions.raise_compiler_error("day_partition is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__day_partition(column, granularity) -%}
    {{ return({'field': column, 'data_type': 'timestamp', 'granularity': granularity}) }}
{%- endmacro %}

{% macro duckdb__day_partition(column, granularity) -%} {{ return(none) }} {%- endmacro %}
