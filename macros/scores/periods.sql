{#- The periods of the scores as a query: one row per period with the moment of the scores and the moment that markets
    must have resolved after. -#}
{% macro periods() -%}
    select
        'all' as period,
        as_of,
        {{ epoch_timestamp("'0'") }} as resolved_after
    from {{ ref('int_as_of') }}
    {%- for days in [365, 90, 30] %}
    union all
    select
        '{{ days }}d' as period,
        as_of,
        {{ timestamp_minus_days('as_of', days) }} as resolved_after
    from {{ ref('int_as_of') }}
    {%- endfor %}
{%- endmacro %}
