{#- How long a share was held, from purchase or split to sale, merge or resolution. Aggregate over markets. -#}
{% macro mean_holding_days() -%}
    cast(sum(held_share_seconds) as {{ double_type() }}) / nullif(cast(sum(shares_in) as {{ double_type() }}), 0) / 86400
{%- endmacro %}
