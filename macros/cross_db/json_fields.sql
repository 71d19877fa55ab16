{#- The named fields of a JSON object in text, each as text (a nested value as its JSON text), in one struct: read with
    `alias.key`. DuckDB then parses the object once; a call per field would parse it every time. -#}
{% macro json_fields(json, keys) -%}
    {{ return(adapter.dispatch('json_fields', 'polyomega')(json, keys)) }}
{%- endmacro %}

{% macro default__json_fields(json, keys) -%}
    {{ exceptions.raise_compiler_error("json_fields is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__json_fields(json, keys) -%}
    struct(
        {%- for key in keys %}
        coalesce(
            json_value({{ json }}, '$.{{ key }}'), nullif(json_query({{ json }}, '$.{{ key }}'), 'null')
        ) as {{ key }}{{ "," if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{% macro duckdb__json_fields(json, keys) -%}
    {%- set shape = [] -%}
    {%- for key in keys -%} {%- do shape.append('"' ~ key ~ '":"VARCHAR"') -%} {%- endfor -%}
    from_json({{ json }}, '{ {{- shape | join(',') -}} }')
{%- endmacro %}
