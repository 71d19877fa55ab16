{#- The rows of int_<venue>_<what> of every venue, with the venue.
    Args:
        what: last word of the models' names.
        columns: type by name of their columns, without the venue.
        more: venues beside those of price_venues(). -#}
{% macro union_venues(what, columns, more=[]) -%}
    {%- for venue in price_venues() + more %}
    select
        '{{ venue }}' as venue,
        {{ columns | join(',\n        ') }}
    from {{ ref('int_' ~ venue ~ '_' ~ what) }}
    {{- "\n    union all" if not loop.last }}
    {%- else %}
    {{ no_rows(dict({'venue': 'string'}, **columns)) }}
    {%- endfor %}
{%- endmacro %}
