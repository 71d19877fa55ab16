{{ config(materialized='view') }}

-- What the history of markets is taken of. A market that nobody has looked at for a month cannot have changed, and
-- comparing all of them with their history would be most of a half-hourly build.
with markets as (

    select * from {{ ref('markets') }}

),

contracts as (

    select * from {{ ref('contracts') }}
    where outcome_index = 0

),

moment as (

    select * from {{ ref('int_as_of') }}

),

states as (

    select
        markets.venue,
        markets.market_id,
        markets.status,
        markets.category,
        markets.winning_outcome,
        contracts.yes_price,
        markets.observed_at,
        -- New rules change categories though no market was read again, and two stretches cannot begin at one moment.
        {{ now_utc() }} as seen_at
    from markets
    cross join moment
    left join contracts on markets.market_id = contracts.market_id
    where markets.observed_at >= {{ timestamp_minus_days('moment.as_of', 30) }}

)

select * from states
