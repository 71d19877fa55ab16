-- A ratio that does not exist is null: no public table holds an infinity or a NaN.
{%- set tables = [
    'alerts', 'category_coverage', 'daily_sync_checkpoint', 'wallet_market_pnl', 'wallet_scores',
    'wallet_scores_by_category',
] %}
with
{%- for table in tables %}
{{ table }}_unreal as (

    select
        '{{ table }}' as table_name,
        count(*) as unreal_rows
    from {{ ref(table) }}
    where
        false
        {%- for column in float_columns(table) %}
        or not {{ is_finite(column) }}
        {%- endfor %}

),
{% endfor %}
all_tables as (

    {%- for table in tables %}
    select * from {{ table }}_unreal
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select * from all_tables
where unreal_rows > 0
