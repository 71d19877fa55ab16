{{ config(materialized='ephemeral') }}

with entries as (

    select * from {{ ref('int_ledger_entries') }}
    where entry_type in ('SPLIT', 'MERGE')

),

conversion_legs as (

    select * from {{ ref('int_conversion_legs') }}
    where is_clear

),

outcomes as (

    select
        market_id,
        contract_id,
        outcome_index,
        count(*) over (partition by market_id) as outcomes_in_market
    from {{ ref('int_market_outcomes') }}

),

moment as (

    select * from {{ ref('int_as_of') }}

),

-- A set of all outcomes for a dollar: as much of its cash for each.
sets as (

    select
        entries.wallet_address,
        outcomes.market_id,
        outcomes.contract_id as token_id,
        entries.entry_type,
        entries.timestamp,
        entries.shares,
        case
            when outcomes.outcomes_in_market = 2 then entries.usd_value * cast('0.5' as {{ money_type() }})
            when outcomes.outcome_index > 0 then {{ prorate('entries.usd_value', '1', 'outcomes.outcomes_in_market') }}
            else
                entries.usd_value
                - (outcomes.outcomes_in_market - 1)
                * {{ prorate('entries.usd_value', '1', 'outcomes.outcomes_in_market') }}
        end as usd_value
    from entries
    cross join moment
    inner join outcomes on entries.condition_id = outcomes.market_id
    where entries.timestamp <= moment.as_of

),

converted as (

    select
        wallet_address,
        condition_id as market_id,
        token_id,
        case when is_given then 'CONVERSION_OUT' else 'CONVERSION_IN' end as entry_type,
        converted_at as timestamp,
        shares,
        usd_value
    from conversion_legs

),

all_moves as (

    select * from sets
    union all
    select * from converted

),

moves as (

    select
        wallet_address,
        market_id,
        token_id,
        entry_type as move_type,
        cast(shares as {{ money_type() }}) as shares,
        cast(usd_value as {{ money_type() }}) as usd_value,
        -- What the move adds to the wallet's holding of the token.
        cast(
            case when entry_type in ('SPLIT', 'CONVERSION_IN') then shares else -shares end
            as {{ money_type() }}
        ) as shares_added,
        timestamp
    from all_moves

)

select * from moves
