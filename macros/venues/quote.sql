{#- A text with a price as a price; null where it is none. 0 and 1 are what venues write where nobody bids or asks: a
    share that costs nothing, or all that it can pay, is quoted by nobody.
    Args: size: text with the amount quoted, where the venue tells it; nothing at all is no quote. -#}
{% macro quote(price, size=none) -%}
    case
        when
            {{ read_price(price) }} > 0
            and {{ read_price(price) }} < 1
            {%- if size is not none %}
            and coalesce({{ read_amount(size) }}, 1) > 0
            {%- endif %}
            then cast({{ read_price(price) }} as {{ money_type() }})
    end
{%- endmacro %}
