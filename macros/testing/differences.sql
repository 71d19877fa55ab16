{#- The query of a test of expressions with known values: a row for each pair whose values differ.
    Args: pairs (list): each an expression and the expression that it must equal; both may be null. -#}
{% macro differences(pairs) -%}
    {%- for actual, expected in pairs %}
    select
        {{ loop.index }} as pair,
        cast({{ actual }} as string) as actual,
        cast({{ expected }} as string) as expected
    from (select 1 as nothing) as nothing
    where ({{ actual }}) is distinct from ({{ expected }})
    {{- "\n    union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}
