{#- A model's schema is the one it names, on every target: scripts and dashboards read `polyomega.trades`. A prefix
    (DBT_SCHEMA_PREFIX, for instance `pr_123_`) gives a trial build schemas of its own; raw schemas never have it. On
    BigQuery another one (DESTINATION__BIGQUERY__DATASET_PREFIX) tells warehouses in one Google project apart, the
    raw datasets included. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set warehouse = env_var('DESTINATION__BIGQUERY__DATASET_PREFIX', '') if target.type == 'bigquery' else '' -%}
    {{ warehouse }}{{ env_var('DBT_SCHEMA_PREFIX', '') }}{{ custom_schema_name or target.schema }}
{%- endmacro %}
