with latest as (

    select * from {{ ref('int_smarkets_latest') }}

),

walks as (

    select * from {{ ref('stg_venues__walks') }}
    where venue = 'smarkets'

),

markets as (

    select
        thing_id as market_number,
        {{ json_fields('payload', ['winner_count']) }} as market
    from latest
    where resource = 'markets'

),

contracts as (

    select
        *,
        {{ json_fields('payload', [
            'market_id', 'name', 'state_or_outcome', 'outcome_timestamp', 'display_order',
        ]) }} as contract
    from latest
    where resource = 'contracts'

),

quotes as (

    select
        *,
        {{ json_fields('payload', ['bids', 'offers']) }} as book
    from latest
    where resource = 'quotes'

),

last_prices as (

    select
        *,
        {{ json_fields('payload', ['last_executed_price']) }} as trade
    from latest
    where resource = 'last_prices'

),

-- Prices are hundredths of a percent in books, and percentages among last prices. What is decided has none any more.
joined as (

    select
        contracts.thing_id as contract_number,
        contracts.contract.market_id as market_number,
        contracts.contract.name as outcome,
        contracts.contract.state_or_outcome as state,
        {{ parse_timestamp('contracts.contract.outcome_timestamp') }} as decided_at,
        {{ read_integer('contracts.contract.display_order') }} as display_order,
        coalesce({{ read_integer('markets.market.winner_count') }}, 1) as winners,
        case
            when contracts.contract.state_or_outcome in ('open', 'live', 'new', 'halted')
                then
                    {{ exact_ratio(
                        best_level('quotes.book.bids', 'max', 'quantity', '2147483646'), '10000'
                    ) }}
        end as bid,
        case
            when contracts.contract.state_or_outcome in ('open', 'live', 'new', 'halted')
                then
                    {{ exact_ratio(
                        best_level('quotes.book.offers', 'min', 'quantity', '2147483646'), '10000'
                    ) }}
        end as ask,
        {{ exact_ratio(try_cast('last_prices.trade.last_executed_price', money_type()), '100') }} as last_price,
        coalesce(walks.venue_time, quotes.fetched_at, contracts.fetched_at) as observed_at
    from contracts
    left join markets on contracts.contract.market_id = markets.market_number
    left join quotes on contracts.thing_id = quotes.thing_id
    left join last_prices on contracts.thing_id = last_prices.thing_id
    left join walks on coalesce(quotes.walk_id, contracts.walk_id) = walks.walk_id

),

counted as (

    select
        *,
        sum(case when state = 'winner' then 1 else 0 end) over (partition by market_number) as outright_winners,
        sum(case when state = 'deadheat' then 1 else 0 end) over (partition by market_number) as tied,
        row_number() over (
            partition by market_number
            order by display_order nulls last, length(contract_number), contract_number
        ) - 1 as outcome_index
    from joined

),

-- Contracts that tie share the places that the outright winners leave. What a reduced or voided one paid depends on the
-- price at which it was bought.
decided as (

    select
        concat('smarkets:', market_number) as market_id,
        concat('smarkets:', contract_number) as contract_id,
        outcome,
        cast(outcome_index as int64) as outcome_index,
        case
            when state = 'winner' then cast(1 as {{ money_type() }})
            when state = 'loser' then cast(0 as {{ money_type() }})
            when state = 'deadheat' and winners > outright_winners
                then {{ exact_ratio('(winners - outright_winners)', 'tied') }}
        end as payout,
        bid,
        ask,
        last_price,
        state,
        decided_at,
        observed_at
    from counted

)

select * from decided
