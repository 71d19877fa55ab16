-- amount * part / whole to a millionth, half away from zero, exact where floats are not.
with cases as (
    {%- for amount, part, whole, expected in [
        ('10', '1', '3', '3.333333'),
        ('20', '1', '3', '6.666667'),
        ('0.000001', '1', '2', '0.000001'),
        ('0.000001', '1', '2.000001', '0'),
        ('40.5', '30', '100', '12.15'),
        ('9007199254.740993', '1', '1', '9007199254.740993'),
        ('9007199254.740993', '0.5', '1', '4503599627.370497'),
        ('1234567.891234', '333333.333333', '999999.999999', '411522.630411'),
        ('5', '0', '3', '0'),
        ('5', '0', '0', '0'),
    ] %}

    select
        cast('{{ amount }}' as {{ money_type() }}) as amount,
        cast('{{ part }}' as {{ money_type() }}) as part,
        cast('{{ whole }}' as {{ money_type() }}) as whole,
        cast('{{ expected }}' as {{ money_type() }}) as expected
    {{- "\n    union all" if not loop.last }}
    {%- endfor %}

),

calculated as (

    select
        *,
        {{ prorate('amount', 'part', 'whole') }} as actual
    from cases

),

differing as (

    select * from calculated
    where actual is distinct from expected

)

select * from differing
