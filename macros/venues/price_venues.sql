{#- The venues that are read for their markets and prices (var `price_venues`). Each has raw tables `walks`, `runs` and
    `windows`, and models int_<venue>_events, _markets, _contracts and _prices of the same columns. -#}
{% macro price_venues() -%}
    {{ return(var('price_venues')) }}
{%- endmacro %}
