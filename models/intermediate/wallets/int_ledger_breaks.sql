{{ config(materialized='ephemeral') }}

-- Splits, merges and conversions make and unmake shares without a trade. Until the whole ledger is kept, a wallet's
-- trades alone do not explain its shares in such a market.
with entries as (

    select * from {{ ref('int_source_entries') }}
    where entry_type in ('SPLIT', 'MERGE', 'CONVERSION')

),

markets as (

    select
        market_id,
        event_slug
    from {{ ref('int_markets') }}

),

moment as (

    select * from {{ ref('int_as_of') }}

),

past_entries as (

    select
        entries.wallet_address,
        entries.entry_type,
        entries.condition_id
    from entries
    cross join moment
    where entries.traded_at <= moment.as_of

),

reshaped as (

    select
        wallet_address,
        condition_id as market_id
    from past_entries
    where entry_type in ('SPLIT', 'MERGE')

),

-- A conversion names one market of its event and touches all of them.
converted as (

    select
        past_entries.wallet_address,
        coalesce(siblings.market_id, past_entries.condition_id) as market_id
    from past_entries
    left join markets on past_entries.condition_id = markets.market_id
    left join markets as siblings on markets.event_slug = siblings.event_slug
    where past_entries.entry_type = 'CONVERSION'

),

breaks as (

    select * from reshaped
    union distinct
    select * from converted

)

select * from breaks
