{{ config(cluster_by=clustering(['left_contract_id'])) }}

with tokens as (

    select * from {{ ref('int_contract_tokens') }}

),

matches as (

    select * from {{ ref('market_matches') }}

),

-- Two contracts are compared where they share a word that few contracts of either venue have.
candidates as (

    select distinct
        left_tokens.contract_id as left_contract_id,
        right_tokens.contract_id as right_contract_id
    from tokens as left_tokens
    inner join tokens as right_tokens
        on
            left_tokens.token = right_tokens.token
            and left_tokens.venue < right_tokens.venue
    where
        left_tokens.contracts_with_token <= {{ var('match_common_word') }}
        and right_tokens.contracts_with_token <= {{ var('match_common_word') }}

),

compared as (

    select
        left_tokens.venue as left_venue,
        right_tokens.venue as right_venue,
        left_tokens.market_id as left_market_id,
        right_tokens.market_id as right_market_id,
        candidates.left_contract_id,
        candidates.right_contract_id,
        max(left_tokens.end_date) as left_end_date,
        max(right_tokens.end_date) as right_end_date,
        count(*) as shared,
        sum(case when left_tokens.is_of_outcome then 1 else 0 end) as left_outcome_shared,
        sum(case when right_tokens.is_of_outcome then 1 else 0 end) as right_outcome_shared,
        max(left_tokens.tokens_of_contract) as left_tokens_all,
        max(right_tokens.tokens_of_contract) as right_tokens_all,
        max(left_tokens.outcome_tokens) as left_outcome_tokens,
        max(right_tokens.outcome_tokens) as right_outcome_tokens
    from candidates
    inner join tokens as left_tokens on candidates.left_contract_id = left_tokens.contract_id
    inner join tokens as right_tokens
        on
            candidates.right_contract_id = right_tokens.contract_id
            and left_tokens.token = right_tokens.token
    group by
        left_tokens.venue,
        right_tokens.venue,
        left_tokens.market_id,
        right_tokens.market_id,
        candidates.left_contract_id,
        candidates.right_contract_id

),

-- Every word of an answer must stand in the other's question: "Smith" is no answer to "Will Jones win?".
scored as (

    select
        *,
        {{ exact_ratio('shared', '(left_tokens_all + right_tokens_all - shared)') }} as similarity,
        abs({{ unix_seconds('left_end_date') }} - {{ unix_seconds('right_end_date') }}) as seconds_apart
    from compared
    where
        left_outcome_shared = left_outcome_tokens
        and right_outcome_shared = right_outcome_tokens

),

proposed as (

    select
        scored.left_venue,
        scored.left_market_id,
        scored.left_contract_id,
        scored.right_venue,
        scored.right_market_id,
        scored.right_contract_id,
        scored.similarity,
        scored.seconds_apart,
        coalesce(left_matches.match_id = right_matches.match_id, false) as is_confirmed,
        row_number() over (
            partition by scored.left_contract_id, scored.right_venue
            order by scored.similarity desc, scored.seconds_apart asc nulls last, scored.right_contract_id asc
        ) as left_place,
        row_number() over (
            partition by scored.right_contract_id, scored.left_venue
            order by scored.similarity desc, scored.seconds_apart asc nulls last, scored.left_contract_id asc
        ) as right_place
    from scored
    left join matches as left_matches on scored.left_contract_id = left_matches.contract_id
    left join matches as right_matches on scored.right_contract_id = right_matches.contract_id
    where
        scored.similarity >= cast('{{ var("match_min_similarity") }}' as {{ money_type() }})
        and (scored.seconds_apart is null or scored.seconds_apart <= {{ var('match_max_days') }} * 86400)

),

-- Of several that look alike, each contract's best.
best as (

    select
        left_venue,
        left_market_id,
        left_contract_id,
        right_venue,
        right_market_id,
        right_contract_id,
        similarity,
        cast(seconds_apart as int64) as seconds_apart,
        is_confirmed
    from proposed
    where
        left_place = 1
        and right_place = 1

)

select * from best
