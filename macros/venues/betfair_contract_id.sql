{#- What names a runner: its market, its selection and, where it has one, its handicap in hundredths. A handicap of nothing
    is written 0 as well as 0.0. -#}
{% macro betfair_contract_id(market_number, selection_id, handicap) -%}
    {%- set hundredths -%}
        coalesce(cast({{ try_cast(handicap, money_type()) }} * 100 as int64), 0)
    {%- endset -%}
    concat(
        'betfair:',
        {{ market_number }},
        ':',
        {{ selection_id }},
        case when {{ hundredths }} = 0 then '' else concat(':', cast({{ hundredths }} as string)) end
    )
{%- endmacro %}
