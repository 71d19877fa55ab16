{#- Clustering columns for BigQuery; DuckDB has none, and takes a list for an error. -#}
{% macro clustering(columns) -%}
    {{ return(adapter.dispatch('clustering', 'polyomega')(columns)) }}
{%- endmacro %}

{% macro default__clustering(columns) -%}
    {{ exceptions.raise_compiler_error("clustering is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__clustering(columns) -%} {{ return(columns) }} {%- endmacro %}

{% macro duckdb__clustering(columns) -%} {{ return(none) }} {%- endmacro %}
