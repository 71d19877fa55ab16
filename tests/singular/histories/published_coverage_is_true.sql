-- The published share of trades with a category, against a count of its own over the public tables.
with traded as (

    select
        source,
        market_id,
        count(*) as trades,
        sum(usd_value) as volume_usd
    from {{ ref('trades') }}
    group by source, market_id

),

markets as (

    select
        market_id,
        category
    from {{ ref('markets') }}

),

coverage as (

    select * from {{ ref('category_coverage') }}

),

counted as (

    select
        traded.source,
        sum(traded.trades) as trades,
        sum(case when coalesce(markets.category, 'Uncategorized') = 'Uncategorized' then traded.trades else 0 end)
            as uncategorized_trades,
        sum(case when coalesce(markets.category, 'Uncategorized') = 'Uncategorized' then traded.volume_usd else 0 end)
            as uncategorized_volume_usd
    from traded
    left join markets on traded.market_id = markets.market_id
    group by traded.source

),

differing as (

    select
        counted.source,
        counted.uncategorized_trades,
        coverage.trades - coverage.trades_categorized as published_trades,
        counted.uncategorized_volume_usd,
        coverage.volume_usd - coverage.volume_usd_categorized as published_volume_usd
    from counted
    full outer join coverage on counted.source = coverage.source
    where
        counted.trades is distinct from coverage.trades
        or counted.uncategorized_trades is distinct from coverage.trades - coverage.trades_categorized
        or counted.uncategorized_volume_usd is distinct from coverage.volume_usd - coverage.volume_usd_categorized
        or abs(
            coverage.categorized_share_of_trades * coverage.trades
            - (counted.trades - counted.uncategorized_trades)
        ) > 0.001

)

select * from differing
