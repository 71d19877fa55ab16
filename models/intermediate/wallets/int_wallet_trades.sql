with trades as (

    select * from {{ ref('trades') }}
    where wallet_address is not null

),

wallet_trades as (

    select
        case when source = 'dome_orders' then 'dome' else 'polymarket' end as venue,
        wallet_address,
        count(*) as trades,
        sum(usd_value) as volume_usd,
        min(timestamp) as first_trade_at,
        max(timestamp) as last_trade_at,
        min(first_loaded_at) as first_loaded_at
    from trades
    group by 1, 2

)

select * from wallet_trades
