{#- Condition on a walk of stg_venues__walks: it read to its end what the venue tells of its prices of the moment. Lists of
    markets go on where prices no longer come, so that one resource of each venue counts. -#}
{% macro reads_prices() -%}
    status = 'completed'
    and bound_from is null
    and resource = case venue
        when 'kalshi' then 'markets'
        when 'predictit' then 'contracts'
        when 'smarkets' then 'quotes'
        when 'betfair' then 'books'
    end
{%- endmacro %}
