{#- MD5 of a text as 32 hexadecimal digits. Only of text made from text and whole numbers: floats and times print
    differently on each engine. -#}
{% macro md5_hex(text) -%}
    {{ return(adapter.dispatch('md5_hex', 'polyomega')(text)) }}
{%- endmacro %}

{% macro default__md5_hex(text) -%}
    {{ exceptions.raise_compiler_error("md5_hex is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__md5_hex(text) -%} to_hex(md5({{ text }})) {%- endmacro %}

{% macro duckdb__md5_hex(text) -%} md5({{ text }}) {%- endmacro %}
