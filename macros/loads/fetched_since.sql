{#- The condition that a raw row is of a day, in constants, that this model has still to read.
    Args:
        column: the day's time: `fetched_at` of the row, `ended_at` of a walk.
        day: as of first_fetch(). -#}
{% macro fetched_since(column, day) -%}
    {%- if day is none -%} true
    {%- elif day is false -%} false
    {%- else -%} {{ column }} >= timestamp '{{ day }}'
    {%- endif -%}
{%- endmacro %}
