{#- numerator / denominator to nine decimals, half up; null where the denominator is 0 or missing. Exact: DuckDB divides
    decimals as floats, so it counts in whole numbers. Neither is negative, has more than 6 decimals, or is a thousand
    million or more. -#}
{% macro exact_ratio(numerator, denominator) -%}
    {{ return(adapter.dispatch('exact_ratio', 'polyomega')(numerator, denominator)) }}
{%- endmacro %}

{% macro default__exact_ratio(numerator, denominator) -%}
    {{ exceptions.raise_compiler_error("exact_ratio is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__exact_ratio(numerator, denominator) -%}
    cast(round(cast({{ numerator }} as bignumeric) / nullif({{ denominator }}, 0), 9) as numeric)
{%- endmacro %}

{#- n / d in whole numbers, rounded half up, is (2n + d) // 2d. -#}
{% macro duckdb__exact_ratio(numerator, denominator) -%}
    {%- set parts -%} cast(cast({{ denominator }} as numeric(38, 9)) * 1000000 as hugeint) {%- endset -%}
    {%- set whole -%} (cast(cast({{ numerator }} as numeric(38, 9)) * 1000000 as hugeint) * 1000000000) {%- endset -%}
    cast(
        cast((2 * {{ whole }} + {{ parts }}) // nullif(2 * {{ parts }}, 0) as decimal(28, 0))
        * cast('0.000000001' as decimal(10, 9))
        as numeric(38, 9)
    )
{%- endmacro %}
