-- Over all outcomes of a market a set of shares pays one dollar: no outcome of a decided market may lack its payout.
with contracts as (

    select * from {{ ref('contracts') }}
    -- Elsewhere several outcomes of a market can win, or none.
    where venue in ('polymarket', 'kalshi')

),

paid as (

    select
        market_id,
        count(*) as outcomes,
        count(payout) as payouts,
        sum(payout) as sum_of_payouts
    from contracts
    group by market_id

),

wrong as (

    select * from paid
    where
        payouts > 0
        and (
            payouts != outcomes
            or abs(sum_of_payouts - 1) > cast('0.000001' as {{ money_type() }})
        )

)

select * from wrong
