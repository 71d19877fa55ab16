{#- When the run began to fetch for a load package, by the extractor's clock: the loader names packages by that time. -#}
{% macro load_began_at(load_id) -%}
    {{ epoch_timestamp("regexp_extract(" ~ load_id ~ ", '^[0-9]+')") }}
{%- endmacro %}
