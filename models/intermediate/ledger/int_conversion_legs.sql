{{ config(cluster_by=clustering(['wallet_address'])) }}
{#- Conversions of one event after another: how many of a chain can be concluded from each other. -#}
{% set rounds = 3 %}

with entries as (

    select * from {{ ref('int_ledger_entries') }}

),

trades as (

    select * from {{ ref('trades') }}

),

markets as (

    select
        condition_id,
        event_id
    from {{ ref('int_polymarket_markets') }}

),

events as (

    select
        event_id,
        condition_ids
    from {{ ref('int_polymarket_events') }}

),

outcomes as (

    select * from {{ ref('int_market_outcomes') }}

),

moment as (

    select * from {{ ref('int_as_of') }}

),

named_legs as (

    select
        entries.entry_id,
        entries.transaction_hash,
        entries.wallet_address,
        markets.event_id,
        entries.condition_id,
        entries.shares,
        entries.usd_value,
        entries.timestamp
    from entries
    cross join moment
    inner join markets on entries.condition_id = markets.condition_id
    where
        entries.entry_type = 'CONVERSION'
        and entries.shares > 0
        and entries.timestamp <= moment.as_of

),

-- Rows of one transaction that convert as many shares of one event are one conversion, each naming a leg.
conversions as (

    select
        min(entry_id) as conversion_id,
        transaction_hash,
        wallet_address,
        event_id,
        shares,
        max(usd_value) as cash_usd,
        max(timestamp) as converted_at
    from named_legs
    group by transaction_hash, wallet_address, event_id, shares

),

named as (

    select distinct
        conversions.conversion_id,
        named_legs.condition_id
    from conversions
    inner join named_legs
        on
            conversions.transaction_hash = named_legs.transaction_hash
            and conversions.wallet_address = named_legs.wallet_address
            and conversions.event_id = named_legs.event_id
            and conversions.shares = named_legs.shares

),

event_markets as (

    select
        events.event_id,
        lower(legs.condition_id) as condition_id
    from events
    {{ unnest_array('events.condition_ids', 'condition_id', 'place', 'legs') }}
    where events.event_id in (select conversions.event_id from conversions)

),

tokens as (

    select
        market_id,
        max(case when outcome_index = 0 then contract_id end) as yes_token,
        max(case when outcome_index = 1 then contract_id end) as no_token
    from outcomes
    where market_id in (select event_markets.condition_id from event_markets)
    group by market_id
    having count(*) = 2

),

legs as (

    select
        conversions.*,
        event_markets.condition_id,
        tokens.yes_token,
        tokens.no_token,
        named.condition_id is not null as is_named
    from conversions
    inner join event_markets on conversions.event_id = event_markets.event_id
    left join tokens on event_markets.condition_id = tokens.market_id
    left join named
        on
            conversions.conversion_id = named.conversion_id
            and event_markets.condition_id = named.condition_id

),

-- What the wallet had of each market's No when it converted, and what that had cost.
traded as (

    select
        legs.conversion_id,
        legs.condition_id,
        sum(case when trades.side = 'BUY' then trades.shares else 0 end) as bought,
        sum(case when trades.side = 'SELL' then trades.shares else 0 end) as sold,
        sum(case when trades.side = 'BUY' then trades.usd_value else 0 end) as bought_usd
    from legs
    inner join trades
        on
            legs.wallet_address = trades.wallet_address
            and legs.no_token = trades.token_id
            and legs.converted_at >= trades.timestamp
    group by legs.conversion_id, legs.condition_id

),

reshaped as (

    select
        legs.conversion_id,
        legs.condition_id,
        sum(case when entries.entry_type = 'SPLIT' then entries.shares else 0 end) as split,
        sum(case when entries.entry_type = 'MERGE' then entries.shares else 0 end) as merged,
        sum(case when entries.entry_type = 'SPLIT' then entries.usd_value else 0 end) as split_usd
    from legs
    inner join entries
        on
            legs.wallet_address = entries.wallet_address
            and legs.condition_id = entries.condition_id
            and legs.converted_at >= entries.timestamp
    where entries.entry_type in ('SPLIT', 'MERGE')
    group by legs.conversion_id, legs.condition_id

),

weighed as (

    select
        legs.*,
        coalesce(traded.bought, 0) + coalesce(reshaped.split, 0) as acquired,
        coalesce(traded.bought_usd, 0)
        + coalesce(reshaped.split_usd, 0) * cast('0.5' as {{ money_type() }}) as cost_usd,
        coalesce(traded.bought, 0) - coalesce(traded.sold, 0) + coalesce(reshaped.split, 0)
        - coalesce(reshaped.merged, 0) as balance,
        1 + cast(
            round(cast(legs.cash_usd as {{ double_type() }}) / cast(legs.shares as {{ double_type() }})) as int64
        ) as legs_given
    from legs
    left join traded
        on
            legs.conversion_id = traded.conversion_id
            and legs.condition_id = traded.condition_id
    left join reshaped
        on
            legs.conversion_id = reshaped.conversion_id
            and legs.condition_id = reshaped.condition_id

),

counted as (

    select
        *,
        count(*) over (partition by conversion_id) as legs_in_event,
        count(no_token) over (partition by conversion_id) as legs_known,
        sum(case when is_named then 1 else 0 end) over (partition by conversion_id) as legs_named
    from weighed

),

-- The row tells how many legs were given, by its cash, and names one.
told as (

    select
        *,
        legs_known = legs_in_event
        and abs(cash_usd - (legs_given - 1) * shares) <= cast('0.000001' as {{ money_type() }}) as is_sound
    from counted

),

named_alone as (

    select
        *,
        is_sound and legs_named = legs_given as is_clear_0,
        is_named as is_given_0
    from told

),

-- Where it names fewer, all that could have been given are the ones if there are no more of them; otherwise nobody
-- knows. What could have been given is never too little, since only what is known to be gone is taken off: in each
-- round what conversions that are clear already had given before.
{%- for round in range(1, rounds + 1) %}
possible_{{ round }} as (

    select
        *,
        is_named
        or balance - coalesce(
            sum(case when is_clear_{{ round - 1 }} and is_given_{{ round - 1 }} then shares end) over (
                partition by wallet_address, condition_id
                order by {{ unix_seconds('converted_at') }}
                range between unbounded preceding and 1 preceding
            ),
            0
        ) >= shares as is_possible_{{ round }}
    from {{ 'named_alone' if loop.first else 'concluded_' ~ (round - 1) }}

),

concluded_{{ round }} as (

    select
        *,
        is_clear_{{ round - 1 }}
        or (
            is_sound
            and sum(case when is_possible_{{ round }} then 1 else 0 end) over (partition by conversion_id) = legs_given
        ) as is_clear_{{ round }},
        case when is_clear_{{ round - 1 }} then is_given_{{ round - 1 }} else is_possible_{{ round }} end
            as is_given_{{ round }}
    from possible_{{ round }}

),
{% endfor %}
judged as (

    select
        *,
        is_clear_{{ rounds }} as is_clear,
        is_given_{{ rounds }} as is_given
    from concluded_{{ rounds }}

),

-- No leaves at its average price, so that a conversion makes no profit; where nothing is minted, at its part of the
-- cash.
given as (

    select
        *,
        case
            when not is_clear or not is_given then cast(0 as {{ money_type() }})
            when legs_given = legs_in_event then {{ prorate('cash_usd', '1', 'legs_given') }}
            when acquired = 0 then {{ prorate('(legs_given - 1) * shares', '1', 'legs_given') }}
            else {{ prorate('cost_usd', 'shares', 'acquired') }}
        end as part_out_usd
    from judged

),

-- Yes takes over what No cost beyond the cash.
summed as (

    select
        *,
        sum(part_out_usd) over (partition by conversion_id) as parts_out_usd,
        row_number() over (partition by conversion_id, is_given order by condition_id) = 1 as is_first
    from given

),

shared as (

    select
        *,
        part_out_usd
        + case
            when legs_given = legs_in_event and is_given and is_first then cash_usd - parts_out_usd
            else 0
        end as out_usd,
        case
            when legs_given = legs_in_event then cast(0 as {{ money_type() }})
            else {{ prorate('(parts_out_usd - cash_usd)', '1', '(legs_in_event - legs_given)') }}
        end as part_in_usd
    from summed

),

conversion_legs as (

    select
        conversion_id,
        wallet_address,
        event_id,
        condition_id,
        case when is_given then no_token else yes_token end as token_id,
        is_clear,
        is_given,
        cast(shares as {{ money_type() }}) as shares,
        cast(
            case
                when not is_clear then 0
                when is_given then out_usd
                when is_first then parts_out_usd - cash_usd - (legs_in_event - legs_given - 1) * part_in_usd
                else part_in_usd
            end as {{ money_type() }}
        ) as usd_value,
        converted_at
    from shared

)

select * from conversion_legs
