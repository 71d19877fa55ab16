{#- A key from texts as the venue sent them: one MD5 of all of them, in lower case and with a sign between, so that
    (`a`, `bc`) and (`ab`, `c`) differ. A missing text counts as empty. One concat(): a chain of || copies its start
    again and again. -#}
{% macro fill_key(columns) -%}
    {%- set texts = [] -%}
    {%- for column in columns -%} {%- do texts.append("coalesce(" ~ column ~ ", '')") -%} {%- endfor -%}
    {{ md5_hex("lower(concat(" ~ texts | join(", '|', ") ~ "))") }}
{%- endmacro %}
