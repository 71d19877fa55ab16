{#- A label as the venue would spell its slug: lower case, every run of other signs a hyphen, none at the ends. -#}
{% macro slugify(text) -%}
    {{ return(adapter.dispatch('slugify', 'polyomega')(text)) }}
{%- endmacro %}

{% macro default__slugify(text) -%}
    {{ exceptions.raise_compiler_error("slugify is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__slugify(text) -%}
    trim(regexp_replace(lower({{ text }}), r'[^a-z0-9]+', '-'), '-')
{%- endmacro %}

{#- Without 'g' DuckDB replaces the first match only. -#}
{% macro duckdb__slugify(text) -%}
    trim(regexp_replace(lower({{ text }}), '[^a-z0-9]+', '-', 'g'), '-')
{%- endmacro %}
