{#- This moment by the engine's clock, whole microseconds since 1970. For bookkeeping only: results depend on no clock. -#}
{% macro now_micros() -%}
    {{ return(adapter.dispatch('now_micros', 'polyomega')()) }}
{%- endmacro %}

{% macro default__now_micros() -%}
    {{ exceptions.raise_compiler_error("now_micros is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__now_micros() -%} unix_micros(current_timestamp()) {%- endmacro %}

{% macro duckdb__now_micros() -%} epoch_us(current_timestamp) {%- endmacro %}
