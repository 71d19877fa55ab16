{#- The query of a test of expressions with known values: a row for each pair whose values differ.
    Args: pairs (list): each an expression and the expression that it must equal, or `null`. -#}
{% macro differences(pairs) -%}
{%- for actual, expected in pairs %}
select
    {{ loop.index }} as pair,
    cast(compared.actual as string) as actual,
    {{ "'null'" if expected == 'null' else 'cast(compared.expected as string)' }} as expected
from (select {{ actual }} as actual{{ ', ' ~ expected ~ ' as expected' if expected != 'null' }}) as compared
where compared.actual is {{ 'not null' if expected == 'null' else 'distinct from compared.expected' }}
{{ "union all" if not loop.last }}
{%- endfor %}
{%- endmacro %}
