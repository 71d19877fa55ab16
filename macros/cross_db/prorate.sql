{#- amount * part / whole, rounded to 6 decimals, half away from zero; 0 where `whole` is 0. Exact: DuckDB divides
    decimals as floats, so it counts in whole numbers. `amount` is numeric(38, 9) of either sign; `part` and `whole` are
    not negative and have no more than 6 decimals, as on-chain shares do. -#}
{% macro prorate(amount, part, whole) -%}
    {{ return(adapter.dispatch('prorate', 'polyomega')(amount, part, whole)) }}
{%- endmacro %}

{% macro default__prorate(amount, part, whole) -%}
    {{ exceptions.raise_compiler_error("prorate is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__prorate(amount, part, whole) -%}
    coalesce(
        cast(round(cast({{ amount }} as bignumeric) * {{ part }} / nullif({{ whole }}, 0), 6) as numeric),
        0
    )
{%- endmacro %}

{#- n / d in whole numbers, rounded half up, is (2n + d) // 2d; the sign is put back afterwards. -#}
{% macro duckdb__prorate(amount, part, whole) -%}
    {%- set numerator -%}
        cast(abs({{ amount }}) * 1000000000 as hugeint) * cast({{ part }} * 1000000 as hugeint)
    {%- endset -%}
    {%- set denominator -%} (cast({{ whole }} * 1000000 as hugeint) * 1000) {%- endset -%}
    {#- Dividing 128-bit integers is slow, and most parts are nothing or all. -#}
    case
        when {{ part }} = 0 or {{ whole }} = 0 then cast(0 as numeric(38, 9))
        when {{ part }} = {{ whole }} then cast(round({{ amount }}, 6) as numeric(38, 9))
        else
            cast(
                ((2 * {{ numerator }} + {{ denominator }}) // nullif(2 * {{ denominator }}, 0))
                * cast('0.000001' as decimal(7, 6))
                * sign({{ amount }})
                as numeric(38, 9)
            )
    end
{%- endmacro %}
