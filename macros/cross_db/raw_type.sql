{#- The type in which the loader stores a column that the sources file declares as `data_type`. -#}
{% macro raw_type(data_type) -%}
    {{ return(adapter.dispatch('raw_type', 'polyomega')(data_type)) }}
{%- endmacro %}

{% macro default__raw_type(data_type) -%}
    {{ exceptions.raise_compiler_error("raw_type is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__raw_type(data_type) -%} {{ return(data_type) }} {%- endmacro %}

{#- A raw time carries its zone here, a BigQuery timestamp always does. -#}
{% macro duckdb__raw_type(data_type) -%}
    {{ return('timestamptz' if data_type == 'timestamp' else data_type) }}
{%- endmacro %}
