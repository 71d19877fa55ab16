{#- A text with a whole number; null where it is none or does not fit 64 bits. A fraction is rounded, half away from
    zero, and an exponent is understood. -#}
{% macro read_integer(text) -%}
    {{ return(adapter.dispatch('read_integer', 'polyomega')(text)) }}
{%- endmacro %}

{% macro default__read_integer(text) -%}
    {{ exceptions.raise_compiler_error("read_integer is not implemented for " ~ target.type) }}
{%- endmacro %}

{#- A plain cast of text to int64 refuses fractions and takes hexadecimal. -#}
{% macro bigquery__read_integer(text) -%}
    safe_cast(round(safe_cast({{ text }} as bignumeric)) as int64)
{%- endmacro %}

{#- Signs that mean hexadecimal, binary and groups of digits to DuckDB are no part of a number here. -#}
{% macro duckdb__read_integer(text) -%}
    case when not regexp_matches(cast({{ text }} as varchar), '[_xXbB]') then try_cast({{ text }} as bigint) end
{%- endmacro %}
