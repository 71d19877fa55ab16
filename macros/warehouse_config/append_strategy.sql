{#- The incremental strategy that only adds rows. dbt-bigquery has none of its own: a merge without a key is an
    insert. -#}
{% macro append_strategy() -%}
    {{ return(adapter.dispatch('append_strategy', 'polyomega')()) }}
{%- endmacro %}

{% macro default__append_strategy() -%}
    {{ exceptions.raise_compiler_error("append_strategy is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__append_strategy() -%} {{ return('merge') }} {%- endmacro %}

{% macro duckdb__append_strategy() -%} {{ return('append') }} {%- endmacro %}
