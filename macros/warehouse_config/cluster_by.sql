{#- Clustering columns for BigQuery; DuckDB has none, and takes a list for an error. -#}
{% macro cluster_by(columns) -%}
    {{ return(adapter.dispatch('cluster_by', 'polyomega')(columns)) }}
{%- endmacro %}

{% macro default__cluster_by(columns) -%}
    {{ exceptions.raise_compiler_error("cluster_by is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__cluster_by(columns) -%} {{ return(columns) }} {%- endmacro %}

{% macro duckdb__cluster_by(columns) -%} {{ return(none) }} {%- endmacro %}
