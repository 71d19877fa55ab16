{{ config(materialized='view') }}

-- What the history of scores is taken of: the ranked ones, since the others say that there is nothing to say.
with by_category as (

    select * from {{ ref('wallet_scores_by_category') }}
    where omega_status = 'ok'

),

overall as (

    select * from {{ ref('wallet_scores') }}
    where omega_status = 'ok'

),

scores as (

    select
        wallet_address,
        category,
        period,
        resolved_markets,
        total_pnl,
        omega_ratio,
        omega_low,
        omega_high,
        omega_shrunk,
        rank,
        as_of
    from by_category
    union all
    select
        wallet_address,
        'all' as category,
        period,
        resolved_markets,
        total_pnl,
        omega_ratio,
        omega_low,
        omega_high,
        omega_shrunk,
        rank,
        as_of
    from overall

),

daily as (

    select
        *,
        {{ dbt.date_trunc('day', 'as_of') }} as score_day
    from scores

)

select * from daily
