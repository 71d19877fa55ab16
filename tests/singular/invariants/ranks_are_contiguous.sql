-- From 1 on, without gaps and without shared places, and never against the order of `omega_low`.
with by_category as (

    select
        category,
        period,
        rank,
        omega_low
    from {{ ref('wallet_scores_by_category') }}
    where rank is not null

),

overall as (

    select
        'all' as category,
        period,
        rank,
        omega_low
    from {{ ref('wallet_scores') }}
    where rank is not null

),

ranked as (

    select * from by_category
    union all
    select * from overall

),

neighbours as (

    select
        *,
        lag(rank) over (partition by category, period order by rank) as rank_before,
        lag(omega_low) over (partition by category, period order by rank) as omega_low_before
    from ranked

),

wrong as (

    select * from neighbours
    where
        rank != coalesce(rank_before, 0) + 1
        or omega_low_before < omega_low
        or (rank_before is not null and omega_low_before is null and omega_low is not null)

)

select * from wrong
