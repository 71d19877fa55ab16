{{ config(materialized='view') }}

with scores as (

    select * from {{ ref('wallet_scores') }}
    where
        period = 'all'
        and omega_status != 'no_resolved'

),

-- Scores count what several venues tell of a wallet; this venue is asked for those that it is read from.
wallets as (

    select * from {{ ref('wallets_needing_sync') }}
    where venue = 'polymarket'

),

walks as (

    select * from {{ ref('stg_polymarket__walks') }}
    where
        resource = 'positions'
        and status = 'completed'

),

moment as (

    select * from {{ ref('int_as_of') }}

),

last_walks as (

    select
        scope as wallet_address,
        max(venue_time) as read_at
    from walks
    group by scope

),

due as (

    select
        wallets.venue,
        scores.wallet_address,
        last_walks.read_at,
        cast(
            row_number() over (order by last_walks.read_at nulls first, scores.wallet_address) as int64
        ) as sync_order
    from scores
    inner join wallets on scores.wallet_address = wallets.wallet_address
    left join last_walks on scores.wallet_address = last_walks.wallet_address
    cross join moment
    where
        last_walks.read_at is null
        or last_walks.read_at <= {{ timestamp_minus_days('moment.as_of', var('positions_every_days')) }}

)

select * from due
