with trades as (

    select * from {{ ref('trades') }}
    where market_id is not null

),

traded_markets as (

    select
        market_id,
        count(*) as trades,
        sum(case when source = 'dome_orders' then 0 else 1 end) > 0 as is_on_polymarket,
        max(first_loaded_at) as last_loaded_at
    from trades
    group by market_id

)

select * from traded_markets
