-- Of what the venue says of wallets with whole and balanced ledgers, no more than a set share may stay unexplained.
with reconciliation as (

    select * from {{ ref('pnl_reconciliation') }}
    where
        is_comparable
        and measure = 'positions'

),

shares as (

    select
        measure,
        sum(abs(unexplained_usd)) as unexplained_usd,
        sum(abs(venue_pnl)) as venue_usd
    from reconciliation
    group by measure

),

unexplained as (

    select * from shares
    where unexplained_usd > venue_usd * {{ var('reconciliation_max_unexplained_share') }}

)

select * from unexplained
