{{ config(materialized='view') }}

-- What the history of scores is taken of: all that rest on a resolved market, with those that are withheld.
with by_category as (

    select * from {{ ref('wallet_scores_by_category') }}
    where omega_status != 'no_resolved'

),

overall as (

    select * from {{ ref('wallet_scores') }}
    where omega_status != 'no_resolved'

),

scores as (

    {%- for table, category in [('by_category', 'category'), ('overall', "'all' as category")] %}
    select
        wallet_address,
        {{ category }},
        period,
        omega_status,
        withheld_reason,
        resolved_markets,
        total_pnl,
        omega_ratio,
        omega_low,
        omega_high,
        omega_shrunk,
        effective_markets,
        rank,
        as_of
    from {{ table }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

daily as (

    select
        *,
        {{ dbt.date_trunc('day', 'as_of') }} as score_day
    from scores

)

select * from daily
