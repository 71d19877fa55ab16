with markets as (

    select * from {{ ref('int_predictit_listed_markets') }}

),

walks as (

    select * from {{ ref('stg_venues__walks') }}
    where
        venue = 'predictit'
        and resource = 'markets'

),

contracts as (

    select
        market_number,
        max(ends_at) as end_date
    from {{ ref('int_predictit_listed_contracts') }}
    group by market_number

),

-- The feed lists open markets only and tells no outcome: what a later whole list leaves out has closed.
newest_list as (

    select max(started_at) as started_at
    from walks
    where status = 'completed'

),

described as (

    select
        concat('predictit:', markets.market_number) as market_id,
        concat('predictit:', markets.market_number) as event_slug,
        markets.market_number as slug,
        markets.title,
        -- All of its markets are about politics, and none says so.
        'politics' as venue_category,
        case
            when markets.fetched_at < newest_list.started_at then 'closed'
            when markets.status = 'Open' then 'open'
            else 'suspended'
        end as status,
        cast(null as string) as winning_outcome,
        cast(null as {{ money_type() }}) as volume,
        cast(null as {{ money_type() }}) as volume_24hr,
        {{ volume_unit('predictit') }} as volume_unit,
        cast(1 as int64) as winners,
        cast(null as {{ money_type() }}) as profit_share,
        cast(null as timestamp) as start_date,
        contracts.end_date,
        cast(null as timestamp) as resolved_at,
        coalesce(walks.venue_time, markets.fetched_at) as observed_at,
        markets.first_loaded_at,
        markets.fetched_at,
        markets.walk_id,
        markets.walk_position
    from markets
    cross join newest_list
    left join walks on markets.walk_id = walks.walk_id
    left join contracts on markets.market_number = contracts.market_number

)

select * from described
