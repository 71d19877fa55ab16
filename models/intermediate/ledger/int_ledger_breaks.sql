{{ config(materialized='ephemeral') }}

-- Where a conversion could have been one of several, or its event is not known, nobody knows which shares it changed.
-- Where several outcomes pay and the cash of a redemption is not what all shares were worth, there were others.
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

unplaced as (

    select
        entries.wallet_address,
        entries.condition_id as market_id
    from entries
    cross join moment
    left join legs
        on
            entries.wallet_address = legs.wallet_address
            and entries.condition_id = legs.condition_id
    where
        legs.conversion_id is null
        and entries.condition_id is not null
        and entries.timestamp <= moment.as_of

),

breaks as (

    select * from unclear
    union distinct
    select * from unplaced
    union distinct
    select
        wallet_address,
        market_id
    from redemptions
    where not is_clear

)

select * from breaks
