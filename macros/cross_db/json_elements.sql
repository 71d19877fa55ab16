{#- A JSON array in text as an array of its elements' own JSON texts; null where the text is no JSON array. -#}
{% macro json_elements(json) -%}
    {{ return(adapter.dispatch('json_elements', 'polyomega')(json)) }}
{%- endmacro %}

{% macro default__json_elements(json) -%}
    {{ exceptions.raise_compiler_error("json_elements is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__json_elements(json) -%} json_query_array({{ json }}) {%- endmacro %}

{% macro duckdb__json_elements(json) -%}
    case
        when json_valid({{ json }}) and json_type({{ json }}) = 'ARRAY'
            then cast(json_extract({{ json }}, '$[*]') as varchar[])
    end
{%- endmacro %}
