{#- Prices and shares: nothing below 0 and nothing above 1. Null is allowed. One query for all columns.
    Args: columns (list): the columns. -#}
{% test between_0_and_1(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
where
    {%- for column in columns %}
    {% if not loop.first %}or {% endif %}{{ column }} < 0 or {{ column }} > 1
    {%- endfor %}
{% endtest %}
