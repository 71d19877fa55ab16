{#- Fee of a fill by the market's own schedule, for fills that no ledger row tells the fee of: takers pay
    shares * rate * (price * (1 - price)) ^ exponent, to five decimals, makers nothing. Null: not known.
    Fees began on 5 January 2026. -#}
{% macro schedule_fee(is_taker, price, shares, traded_at, rate, exponent, has_fees) -%}
    case
        when {{ is_taker }} is null then null
        when not {{ is_taker }} then 0
        when {{ traded_at }} < {{ parse_timestamp("'2026-01-05'") }} then 0
        when {{ rate }} = 0 then 0
        when {{ rate }} is not null and coalesce({{ exponent }}, 1) = 1
            then
                cast(
                    round(
                        {{ exact_product(shares, rate) }}
                        * cast({{ price }} * (1 - {{ price }}) as {{ money_type() }}),
                        5
                    ) as {{ money_type() }}
                )
        when not {{ has_fees }} then 0
    end
{%- endmacro %}
