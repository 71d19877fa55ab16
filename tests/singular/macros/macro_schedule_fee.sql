-- Takers pay by the market's schedule since fees began, makers never; without a schedule the fee is not known.
with cases as (
    {%- for is_taker, price, shares, traded_at, rate, exponent, has_fees, expected in [
        ('true', '0.5', '100', '2026-01-05 00:00:00', '0.05', '1', 'true', '1.25'),
        ('true', '0.9', '100', '2026-02-01 00:00:00', '0.05', '1', 'true', '0.45'),
        ('true', '0.5', '0.01', '2026-02-01 00:00:00', '0.07', 'null', 'true', '0.00018'),
        ('true', '0.5', '100', '2026-02-01 00:00:00', '0', '1', 'true', '0'),
        ('true', '0.5', '100', '2026-02-01 00:00:00', 'null', 'null', 'false', '0'),
        ('true', '0.5', '100', '2026-01-04 23:59:59', '0.05', '1', 'true', '0'),
        ('false', '0.5', '100', '2026-02-01 00:00:00', '0.05', '1', 'true', '0'),
        ('false', '0.5', '100', '2026-02-01 00:00:00', 'null', 'null', 'null', '0'),
        ('true', '0.5', '100', '2026-02-01 00:00:00', 'null', 'null', 'null', 'null'),
        ('true', '0.5', '100', '2026-02-01 00:00:00', 'null', 'null', 'true', 'null'),
        ('true', '0.5', '100', '2026-02-01 00:00:00', '0.25', '2', 'true', 'null'),
        ('null', '0.5', '100', '2026-02-01 00:00:00', '0.05', '1', 'true', 'null'),
    ] %}

    select
        cast({{ is_taker }} as bool) as is_taker,
        cast({{ price }} as {{ money_type() }}) as price,
        cast({{ shares }} as {{ money_type() }}) as shares,
        cast('{{ traded_at }}' as timestamp) as traded_at,
        cast({{ rate }} as {{ money_type() }}) as fee_rate,
        cast({{ exponent }} as int64) as fee_exponent,
        cast({{ has_fees }} as bool) as has_fees,
        cast({{ expected }} as {{ money_type() }}) as expected
    {{- "\n    union all" if not loop.last }}
    {%- endfor %}

),

calculated as (

    select
        *,
        {{ schedule_fee(
            'is_taker', 'price', 'shares', 'traded_at', 'fee_rate', 'fee_exponent', 'has_fees',
        ) }} as actual
    from cases

),

differing as (

    select * from calculated
    where actual is distinct from expected

)

select * from differing
