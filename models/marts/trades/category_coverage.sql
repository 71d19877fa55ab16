with trades as (

    select * from {{ ref('trades') }}

),

markets as (

    select * from {{ ref('int_markets') }}

),

traded as (

    select
        source,
        market_id,
        count(*) as trades,
        sum(usd_value) as volume_usd
    from trades
    group by source, market_id

),

summed as (

    select
        traded.source,
        sum(traded.trades) as trades,
        sum(case when markets.market_id is not null then traded.trades else 0 end) as trades_with_market,
        sum(case when markets.category != 'Uncategorized' then traded.trades else 0 end) as trades_categorized,
        sum(traded.volume_usd) as volume_usd,
        sum(case when markets.category != 'Uncategorized' then traded.volume_usd else 0 end) as volume_usd_categorized
    from traded
    left join markets on traded.market_id = markets.market_id
    group by traded.source

),

coverage as (

    select
        source,
        cast(trades as int64) as trades,
        cast(trades_with_market as int64) as trades_with_market,
        cast(trades_categorized as int64) as trades_categorized,
        cast(volume_usd as {{ money_type() }}) as volume_usd,
        cast(volume_usd_categorized as {{ money_type() }}) as volume_usd_categorized,
        cast(trades_categorized as {{ double_type() }}) / trades as categorized_share_of_trades,
        cast(volume_usd_categorized as {{ double_type() }})
        / nullif(cast(volume_usd as {{ double_type() }}), 0) as categorized_share_of_volume
    from summed

)

select * from coverage
