-- Null stands for a wallet that the venue hides. Polymarket hides none: a fill without one would count for nobody.
with nameless as (

    select
        id,
        transaction_hash,
        wallet_address
    from {{ ref('trades') }}
    where
        venue = 'polymarket'
        and (
            wallet_address is null
            or wallet_address not like '0x%'
            or wallet_address != lower(wallet_address)
            or transaction_hash = ''
        )

)

select * from nameless
