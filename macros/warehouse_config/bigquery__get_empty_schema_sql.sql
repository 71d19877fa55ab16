{#- dbt's query for a contract's columns, replaced: it casts a null to each declared type, and BigQuery takes no digits in
    a cast. `numeric(38, 9)` stays in the table's own definition and is a plain numeric here. -#}
{% macro bigquery__get_empty_schema_sql(columns) -%}
    select
        {%- for column in columns.values() %}
        cast(null as {{ modules.re.sub('\([^)]*\)', '', column['data_type']) }}) as {{ column['name'] }}
        {{- "," if not loop.last }}
        {%- endfor %}
{%- endmacro %}
