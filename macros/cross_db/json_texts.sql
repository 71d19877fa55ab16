{#- A JSON array in text as an array of text, without its nulls; null where the text is no JSON array. With `key`: that
    field of each object in the array. Numbers written as JSON strings keep all their digits. -#}
{% macro json_texts(json, key=none) -%}
    {{ return(adapter.dispatch('json_texts', 'polyomega')(json, key)) }}
{%- endmacro %}

{% macro default__json_texts(json, key) -%}
    {{ exceptions.raise_compiler_error("json_texts is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__json_texts(json, key) -%}
    {%- set path = '$' if key is none else '$.' ~ key -%}
    if(
        json_query_array({{ json }}) is null,
        null,
        array(
            select json_value(element, '{{ path }}')
            from unnest(json_query_array({{ json }})) as element with offset as position
            where json_value(element, '{{ path }}') is not null
            order by position
        )
    )
{%- endmacro %}

{% macro duckdb__json_texts(json, key) -%}
    {%- set path = '$[*]' if key is none else '$[*].' ~ key -%}
    case
        when json_valid({{ json }}) and json_type({{ json }}) = 'ARRAY'
            then
                list_filter(
                    json_extract_string({{ json }}, '{{ path }}'),
                    lambda element: element is not null
                )
    end
{%- endmacro %}
