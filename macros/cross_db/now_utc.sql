{#- This moment by the engine's clock, UTC. For histories only: nothing else depends on a clock. -#}
{% macro now_utc() -%}
    {{ return(adapter.dispatch('now_utc', 'polyomega')()) }}
{%- endmacro %}

{% macro default__now_utc() -%}
    {{ exceptions.raise_compiler_error("now_utc is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__now_utc() -%} current_timestamp() {%- endmacro %}

{% macro duckdb__now_utc() -%} make_timestamp(epoch_us(current_timestamp)) {%- endmacro %}
