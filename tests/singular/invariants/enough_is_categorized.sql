{{ config(severity='warn') }}

-- The venue makes new tags as it likes: below the variable category_coverage_min_share seeds/category_rules.csv needs
-- rules for them. Until then their trades count as `Uncategorized`.
with coverage as (

    select * from {{ ref('category_coverage') }}

),

summed as (

    select
        sum(volume_usd) as volume_usd,
        sum(volume_usd_categorized) as volume_usd_categorized
    from coverage

),

too_little as (

    select * from summed
    where volume_usd_categorized < cast('{{ var("category_coverage_min_share") }}' as {{ money_type() }}) * volume_usd

)

select * from too_little
