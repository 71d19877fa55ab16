{{ config(cluster_by=clustering(['wallet_address'])) }}

-- Where a conversion could have been one of several nobody knows which shares of its event it changed, and where its
-- event is not known it could be any with several markets. Where several outcomes pay and the cash of a redemption is
-- not what all shares were worth, there were others.
with entries as (

    select * from {{ ref('int_ledger_entries') }}
    where entry_type = 'CONVERSION'

),

legs as (

    select * from {{ ref('int_conversion_legs') }}

),

redemptions as (

    select * from {{ ref('int_redemptions') }}

),

totals as (

    select
        wallet_address,
        token_id
    from {{ ref('int_position_totals') }}
    where trades > 0
    union all
    select
        wallet_address,
        token_id
    from {{ ref('int_ledger_totals') }}

),

outcomes as (

    select
        market_id,
        contract_id
    from {{ ref('int_market_outcomes') }}

),

markets as (

    select
        condition_id,
        event_id
    from {{ ref('int_polymarket_markets') }}

),

families as (

    select event_id
    from {{ ref('int_polymarket_events') }}
    where {{ array_size('condition_ids') }} > 1

),

moment as (

    select * from {{ ref('int_as_of') }}

),

unclear as (

    select
        wallet_address,
        condition_id as market_id
    from legs
    where not is_clear

),

-- Entries that moved shares, and that no conversion was made of.
unplaced as (

    select
        entries.wallet_address,
        entries.condition_id
    from entries
    cross join moment
    left join legs
        on
            entries.wallet_address = legs.wallet_address
            and entries.condition_id = legs.condition_id
            and entries.shares = legs.shares
    where
        legs.conversion_id is null
        and coalesce(entries.shares, 1) != 0
        and entries.timestamp <= moment.as_of

),

adrift as (

    select distinct wallet_address
    from unplaced

),

suspects as (

    select
        totals.wallet_address,
        outcomes.market_id
    from totals
    inner join adrift on totals.wallet_address = adrift.wallet_address
    inner join outcomes on totals.token_id = outcomes.contract_id
    inner join markets on outcomes.market_id = markets.condition_id
    inner join families on markets.event_id = families.event_id

),

breaks as (

    select * from unclear
    union distinct
    select
        wallet_address,
        condition_id as market_id
    from unplaced
    where condition_id is not null
    union distinct
    select * from suspects
    union distinct
    select
        wallet_address,
        market_id
    from redemptions
    where not is_clear

)

select * from breaks
