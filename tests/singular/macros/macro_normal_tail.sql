-- Against the complementary error function of the C library.
with cases as (

    select
        -8.0 as z,
        0.9999999999999993 as expected
    union all
    select
        -1.0 as z,
        0.8413447460685429 as expected
    union all
    select
        -0.25 as z,
        0.5987063256829237 as expected
    union all
    select
        0.0 as z,
        0.5 as expected
    union all
    select
        0.5 as z,
        0.3085375387259869 as expected
    union all
    select
        1.0 as z,
        0.15865525393145707 as expected
    union all
    select
        1.6448536269514722 as z,
        0.05000000000000007 as expected
    union all
    select
        2.0 as z,
        0.02275013194817922 as expected
    union all
    select
        4.0 as z,
        3.1671241833119965e-05 as expected
    union all
    select
        7.0 as z,
        1.279812543885835e-12 as expected
    union all
    select
        7.5 as z,
        3.19089167291092e-14 as expected
    union all
    select
        20.0 as z,
        2.7536241186063314e-89 as expected
    union all
    select
        40.0 as z,
        0.0 as expected

),

typed as (

    select
        cast(z as {{ double_type() }}) as z,
        cast(expected as {{ double_type() }}) as expected
    from cases

),

answers as (

    select
        z,
        expected,
        {{ normal_tail('z') }} as actual
    from typed

)

select * from answers
where
    actual is null
    or abs(actual - expected) > 1e-15
    or abs(actual / nullif(expected, 0) - 1) > 1e-8
