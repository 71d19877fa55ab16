-- No ratio without the right to one, no rank without `ok`, no withheld score without its reason; and every ratio lies
-- in its interval.
with by_category as (

    select
        wallet_address,
        category,
        period,
        omega_status,
        withheld_reason,
        resolved_markets,
        total_losses,
        omega_ratio,
        omega_low,
        omega_high,
        omega_shrunk,
        rank
    from {{ ref('wallet_scores_by_category') }}

),

overall as (

    select
        wallet_address,
        'all' as category,
        period,
        omega_status,
        withheld_reason,
        resolved_markets,
        total_losses,
        omega_ratio,
        omega_low,
        omega_high,
        omega_shrunk,
        rank
    from {{ ref('wallet_scores') }}

),

scores as (

    select * from by_category
    union all
    select * from overall

),

wrong as (

    select * from scores
    where
        (omega_ratio is not null) != (omega_status in ('ok', 'too_few'))
        or (rank is not null) != (omega_status = 'ok')
        or (withheld_reason is not null) != (omega_status = 'withheld')
        or (omega_status = 'no_resolved' and resolved_markets > 0)
        or (omega_status = 'no_losses' and total_losses > 0)
        or (omega_status in ('withheld', 'no_resolved') and omega_shrunk is not null)
        or (omega_low is null) != (omega_high is null)
        or (omega_low is null and omega_ratio > 0)
        or omega_low > omega_ratio
        or omega_high < omega_ratio

)

select * from wrong
