{#- Names of the float columns that a public table's contract has.
    Args: table (str): the model. -#}
{% macro float_columns(table) -%}
    {%- set names = [] -%}
    {%- if execute -%}
        {%- for column in graph.nodes['model.polyomega.' ~ table].columns.values() -%}
            {%- if column.data_type in ['double', 'float64'] %}{% do names.append(column.name) %}{% endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(names) }}
{%- endmacro %}
