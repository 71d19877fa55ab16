{#- Columns that always say something, where no constraint can hold them to it. One query for all of them.
    Args: columns (list): the columns. -#}
{% test never_null(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
where
    {%- for column in columns %}
    {% if not loop.first %}or {% endif %}{{ column }} is null
    {%- endfor %}
{% endtest %}
