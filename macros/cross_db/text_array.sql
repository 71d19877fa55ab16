{#- An array of the given text expressions. -#}
{% macro text_array(expressions) -%}
    {{ return(adapter.dispatch('text_array', 'polyomega')(expressions)) }}
{%- endmacro %}

{% macro default__text_array(expressions) -%}
    {{ exceptions.raise_compiler_error("text_array is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__text_array(expressions) -%} [{{ expressions | join(', ') }}] {%- endmacro %}

{% macro duckdb__text_array(expressions) -%} list_value({{ expressions | join(', ') }}) {%- endmacro %}
