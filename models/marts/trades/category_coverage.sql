with trades as (

    select * from {{ ref('trades') }}

),

markets as (

    select * from {{ ref('markets') }}

),

rules as (

    select
        'rule' as kind,
        rule_type || ' ' || tag as subject,
        category,
        priority
    from {{ ref('category_rules') }}
    union all
    select
        'override' as kind,
        venue || ' ' || object_type || ' ' || object_id as subject,
        category,
        0 as priority
    from {{ ref('category_overrides') }}

),

spelled_rules as (

    -- Of a null among them the engines make different texts.
    select
        concat(
            kind, ' ', subject, ' ', coalesce(category, ''), ' ', coalesce(cast(priority as string), '')
        ) as spelling
    from rules

),

-- The same rules are the same version, wherever they came from.
versions as (

    select substr({{ md5_hex("string_agg(spelling, ';' order by spelling)") }}, 1, 8) as rules_version
    from spelled_rules

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
        count(*) as markets,
        count(case when markets.category != 'Uncategorized' then 1 end) as markets_categorized,
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
        summed.source,
        versions.rules_version,
        cast(summed.markets as int64) as markets,
        cast(summed.markets_categorized as int64) as markets_categorized,
        cast(summed.trades as int64) as trades,
        cast(summed.trades_with_market as int64) as trades_with_market,
        cast(summed.trades_categorized as int64) as trades_categorized,
        cast(summed.volume_usd as {{ money_type() }}) as volume_usd,
        cast(summed.volume_usd_categorized as {{ money_type() }}) as volume_usd_categorized,
        cast(summed.markets_categorized as {{ double_type() }}) / summed.markets as categorized_share_of_markets,
        cast(summed.trades_categorized as {{ double_type() }}) / summed.trades as categorized_share_of_trades,
        cast(summed.volume_usd_categorized as {{ double_type() }})
        / nullif(cast(summed.volume_usd as {{ double_type() }}), 0) as categorized_share_of_volume
    from summed
    cross join versions

)

select * from coverage
