-- Contracts that are not decided, by the words of their question. What No says, Yes has said.
with contracts as (

    select
        contracts.venue,
        contracts.market_id,
        contracts.contract_id,
        contracts.outcome,
        lower(contracts.outcome) = 'yes' as is_yes,
        markets.title,
        markets.event_slug,
        markets.end_date
    from {{ ref('contracts') }} as contracts
    inner join {{ ref('markets') }} as markets on contracts.market_id = markets.market_id
    where
        markets.status in ('upcoming', 'open', 'suspended')
        and lower(contracts.outcome) != 'no'

),

events as (

    select * from {{ ref('events') }}

),

worded as (

    select
        contracts.venue,
        contracts.market_id,
        contracts.contract_id,
        contracts.end_date,
        {{ text_tokens("concat(coalesce(events.title, ''), ' ', coalesce(contracts.title, ''))") }} as words,
        {{ text_tokens("case when contracts.is_yes then '' else contracts.outcome end") }} as outcome_words
    from contracts
    left join events
        on
            contracts.venue = events.venue
            and contracts.event_slug = events.event_slug

),

all_words as (

    select
        worded.venue,
        worded.market_id,
        worded.contract_id,
        worded.end_date,
        words.word as token,
        0 as is_of_outcome
    from worded
    {{ unnest_array('worded.words', 'word', 'place', 'words') }}
    union all
    select
        worded.venue,
        worded.market_id,
        worded.contract_id,
        worded.end_date,
        words.word as token,
        1 as is_of_outcome
    from worded
    {{ unnest_array('worded.outcome_words', 'word', 'place', 'words') }}

),

tokens as (

    select
        venue,
        market_id,
        contract_id,
        token,
        max(end_date) as end_date,
        max(is_of_outcome) = 1 as is_of_outcome
    from all_words
    -- Words that any question has.
    where
        token not in (
            '', 'a', 'an', 'and', 'at', 'be', 'by', 'for', 'in', 'is', 'of', 'on', 'or', 'the', 'to', 'will'
        )
    group by venue, market_id, contract_id, token

),

counted as (

    select
        *,
        count(*) over (partition by contract_id) as tokens_of_contract,
        sum(case when is_of_outcome then 1 else 0 end) over (partition by contract_id) as outcome_tokens,
        count(*) over (partition by venue, token) as contracts_with_token
    from tokens

)

select * from counted
