{{ config(materialized='view') }}

-- A view, so that a wallet is known as soon as it was named. Which board or table it was stands in the walk's scope.
with leaderboard as (

    select
        'polymarket' as venue,
        wallet_address,
        fetched_at,
        walk_id
    from {{ ref('stg_polymarket__leaderboard') }}

),

polymarket_wallets as (

    select
        venue,
        wallet_address,
        fetched_at,
        walk_id
    from {{ ref('stg_polymarket__wallets') }}

),

dome_wallets as (

    select
        venue,
        wallet_address,
        fetched_at,
        walk_id
    from {{ ref('stg_dome__wallets') }}

),

walks as (

    select
        walk_id,
        split(scope, ':') as scope_parts
    from {{ ref('stg_polymarket__walks') }}
    where resource in ('leaderboard', 'wallets')
    union all
    select
        walk_id,
        split(scope, ':') as scope_parts
    from {{ ref('stg_dome__walks') }}
    where resource = 'wallets'

),

named as (

    select * from leaderboard
    union all
    select * from polymarket_wallets
    union all
    select * from dome_wallets

),

told as (

    select
        named.venue,
        named.wallet_address,
        named.fetched_at,
        case
            when {{ array_element('walks.scope_parts', 0) }} != 'top' then {{ array_element('walks.scope_parts', 0) }}
            when {{ array_size('walks.scope_parts') }} > 2 then 'category_leaderboard'
            else 'leaderboard'
        end as source
    from named
    inner join walks on named.walk_id = walks.walk_id
    -- What is no address can be asked for nowhere.
    where
        length(named.wallet_address) = 42
        and strpos(named.wallet_address, '0x') = 1

),

sources as (

    select
        venue,
        wallet_address,
        source,
        min(fetched_at) as first_seen_at
    from told
    group by venue, wallet_address, source

)

select * from sources
