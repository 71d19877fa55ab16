-- `resolved` in one table and a payout in the other are one statement; only voided markets end without payouts.
with markets as (

    select * from {{ ref('markets') }}

),

contracts as (

    select
        market_id,
        count(payout) as payouts
    from {{ ref('contracts') }}
    group by market_id

),

wrong as (

    select
        markets.market_id,
        markets.status,
        markets.resolved_at,
        contracts.payouts
    from markets
    left join contracts on markets.market_id = contracts.market_id
    where
        (markets.status = 'resolved') != (coalesce(contracts.payouts, 0) > 0)
        or (markets.status in ('resolved', 'voided')) != (markets.resolved_at is not null)

)

select * from wrong
