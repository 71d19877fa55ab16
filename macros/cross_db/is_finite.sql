{#- Whether a float is a number: neither infinite nor NaN; null where it is null. -#}
{% macro is_finite(number) -%}
    {{ return(adapter.dispatch('is_finite', 'polyomega')(number)) }}
{%- endmacro %}

{% macro default__is_finite(number) -%}
    {{ exceptions.raise_compiler_error("is_finite is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__is_finite(number) -%} not (is_inf({{ number }}) or is_nan({{ number }})) {%- endmacro %}

{% macro duckdb__is_finite(number) -%} isfinite({{ number }}) {%- endmacro %}
