{#- The highest or lowest price among the levels of one side of an order book, a JSON array of objects in text; null where
    it has none. Venues send levels in any order.
    Args:
        pick: 'max' or 'min'.
        size_key: key of the amount; levels of nothing are no offers.
        sentinel: amount, as text, that marks a level which nobody offers. -#}
{% macro best_level(levels, pick, size_key, sentinel='') -%}
    {{ return(adapter.dispatch('best_level', 'polyomega')(levels, pick, size_key, sentinel)) }}
{%- endmacro %}

{% macro default__best_level(levels, pick, size_key, sentinel) -%}
    {{ exceptions.raise_compiler_error("best_level is not implemented for " ~ target.type) }}
{%- endmacro %}

{% macro bigquery__best_level(levels, pick, size_key, sentinel) -%}
    (
        select {{ pick }}(safe_cast(json_value(level, '$.price') as numeric))
        from unnest(json_query_array({{ levels }})) as level
        where
            safe_cast(json_value(level, '$.{{ size_key }}') as numeric) > 0
            and json_value(level, '$.{{ size_key }}') != '{{ sentinel }}'
    )
{%- endmacro %}

{% macro duckdb__best_level(levels, pick, size_key, sentinel) -%}
    list_{{ pick }}(
        list_transform(
            list_filter(
                from_json({{ levels }}, '[{"price":"VARCHAR","{{ size_key }}":"VARCHAR"}]'),
                lambda level: try_cast(level.{{ size_key }} as numeric(38, 9)) > 0
                and level.{{ size_key }} != '{{ sentinel }}'
            ),
            lambda level: try_cast(level.price as numeric(38, 9))
        )
    )
{%- endmacro %}
