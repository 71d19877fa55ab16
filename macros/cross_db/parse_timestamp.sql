{#- Text to UTC time; null where it is none. Understands every form that the venues use: `2026-05-17T06:03:56.46115Z`,
    `2026-04-05 19:37:33+00`, `2025-08-16 20:00:00.000`, nine fractional digits, a bare date. No offset means UTC. -#}
{% macro parse_timestamp(text) -%}
    {{ return(adapter.dispatch('parse_timestamp', 'polyomega')(text)) }}
{%- endmacro %}

{% macro default__parse_timestamp(text) -%}
    {{ exceptions.raise_compiler_error("parse_timestamp is not implemented for " ~ target.type) }}
{%- endmacro %}

{#- BigQuery reads at most six fractional digits. -#}
{% macro bigquery__parse_timestamp(text) -%}
    safe_cast(regexp_replace({{ text }}, r'(\.\d{6})\d+', r'\1') as timestamp)
{%- endmacro %}

{#- A cast to plain timestamp would drop the offset; one to timestamptz takes text without offset in the session's zone,
    which the profile sets to UTC, so it is named here again. -#}
{% macro duckdb__parse_timestamp(text) -%}
    timezone(
        'UTC',
        try_cast(
            case
                when regexp_matches({{ text }}, '(Z|[+-]\d{2}(:?\d{2})?)$') and length({{ text }}) > 10 then {{ text }}
                when length({{ text }}) = 10 then {{ text }} || ' 00:00:00+00'
                else {{ text }} || '+00'
            end as timestamptz
        )
    )
{%- endmacro %}
