{{ config(materialized='view') }}

with traded_markets as (

    select * from {{ ref('int_traded_markets') }}

),

markets as (

    select * from {{ ref('markets') }}

),

-- A market that only Dome told of is asked for there.
all_markets as (

    select
        case
            when coalesce(markets.source = 'dome', not traded_markets.is_on_polymarket) then 'dome'
            else 'polymarket'
        end as venue,
        coalesce(traded_markets.market_id, markets.market_id) as condition_id,
        markets.status,
        markets.sync_priority,
        case
            when markets.market_id is null then 'unknown'
            when markets.status = 'closed' then 'awaiting_resolution'
            else 'open'
        end as reason,
        markets.end_date,
        markets.observed_at
    from traded_markets
    full outer join markets on traded_markets.market_id = markets.market_id

),

due as (

    select
        venue,
        condition_id,
        reason,
        coalesce(sync_priority, 'high') as sync_priority,
        cast(
            row_number() over (
                partition by venue
                order by
                    case when reason = 'unknown' then 1 else 2 end,
                    case sync_priority when 'high' then 1 when 'normal' then 2 else 3 end,
                    end_date nulls last,
                    condition_id
            ) as int64
        ) as sync_order,
        observed_at
    from all_markets
    where
        coalesce(status, 'unknown') not in ('resolved', 'voided')
        and coalesce(sync_priority, 'high') != 'archived'

)

select * from due
