{#- What a venue's volumes count, as a text; null where it tells none. Smarkets documents pounds, and others read what it
    sends as pence or less. -#}
{% macro volume_unit(venue) -%}
    {%- set units = {
        'polymarket': 'USD', 'kalshi': 'contracts', 'smarkets': 'GBP (unverified)', 'betfair': 'GBP', 'predictit': none,
    } -%}
    {{ "cast(null as string)" if units[venue] is none else "'" ~ units[venue] ~ "'" }}
{%- endmacro %}
