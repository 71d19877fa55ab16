{#- The words of a text, as slugify() would spell them, as an array of text. -#}
{% macro text_tokens(text) -%}
    {{ return(adapter.dispatch('text_tokens', 'polyomega')(text)) }}
{%- endmacro %}

{% macro default__text_tokens(text) -%}
    {{ exceptions.raise_compiler_error("text_tokens is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__text_tokens(text) -%} split({{ slugify(text) }}, '-') {%- endmacro %}

{% macro duckdb__text_tokens(text) -%} string_split({{ slugify(text) }}, '-') {%- endmacro %}
