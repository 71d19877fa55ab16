{{ config(materialized='view') }}

with markets as (

    select * from {{ ref('int_venue_markets') }}

),

-- Venues list a market no more once it is over: it is asked for by its name until its outcome is known.
due as (

    select
        venue,
        market_id,
        slug as market_name,
        status,
        cast(
            row_number() over (
                partition by venue
                order by market_id
            ) as int64
        ) as sync_order
    from markets
    where status not in ('resolved', 'voided')

)

select * from due
