with latest as (

    select * from {{ ref('int_betfair_latest') }}

),

walks as (

    select * from {{ ref('stg_venues__walks') }}
    where venue = 'betfair'

),

markets as (

    select
        *,
        {{ json_fields('payload', ['description', 'runners']) }} as market
    from latest
    where resource = 'markets'

),

described as (

    select
        *,
        {{ json_elements('markets.market.runners') }} as runners,
        {{ json_fields('markets.market.description', ['bettingType']) }} as description
    from markets

),

listed as (

    select
        described.thing_id as market_number,
        coalesce(described.description.bettingtype, 'ODDS') = 'ODDS' as has_odds,
        {{ json_fields('runners.runner', ['selectionId', 'handicap', 'runnerName', 'sortPriority']) }} as runner,
        runners.place
    from described
    {{ unnest_array('described.runners', 'runner', 'place', 'runners') }}

),

named as (

    select
        listed.market_number,
        listed.has_odds,
        {{ betfair_contract_id(
            'listed.market_number', 'listed.runner.selectionid', 'listed.runner.handicap'
        ) }} as contract_id,
        listed.runner.runnername as outcome,
        coalesce({{ read_integer('listed.runner.sortpriority') }}, listed.place + 1) as sort_priority,
        listed.place
    from listed

),

books as (

    select
        latest.thing_id as market_number,
        latest.walk_id,
        latest.fetched_at,
        {{ json_fields('latest.payload', ['status', 'numberOfWinners', 'runners']) }} as book
    from latest
    where latest.resource = 'books'

),

quoted as (

    select
        books.market_number,
        books.walk_id,
        books.fetched_at,
        books.book.status as market_state,
        coalesce({{ read_integer('books.book.numberofwinners') }}, 1) as winners,
        {{ json_fields('runners.runner', ['selectionId', 'handicap', 'status', 'lastPriceTraded', 'ex']) }} as runner
    from books
    {{ unnest_array(json_elements('books.book.runners'), 'runner', 'place', 'runners') }}

),

offered as (

    select
        quoted.*,
        {{ betfair_contract_id(
            'quoted.market_number', 'quoted.runner.selectionid', 'quoted.runner.handicap'
        ) }} as contract_id,
        {{ json_fields('quoted.runner.ex', ['availableToBack', 'availableToLay']) }} as ex,
        sum(case when quoted.runner.status = 'WINNER' then 1 else 0 end) over (
            partition by quoted.market_number
        ) as won
    from quoted

),

-- Who backs at odds of 4 pays 0.25 for each pound that it can bring: the best odds to back are the lowest offer.
priced as (

    select
        concat('betfair:', named.market_number) as market_id,
        named.contract_id,
        named.outcome,
        cast(
            row_number() over (
                partition by named.market_number
                order by named.sort_priority, named.place
            ) - 1 as int64
        ) as outcome_index,
        case
            when not named.has_odds then cast(null as {{ money_type() }})
            when offered.runner.status = 'LOSER' then cast(0 as {{ money_type() }})
            when offered.runner.status = 'WINNER' and offered.won <= offered.winners then cast(1 as {{ money_type() }})
            when offered.runner.status = 'WINNER' then {{ exact_ratio('offered.winners', 'offered.won') }}
        end as payout,
        case
            when named.has_odds and offered.runner.status = 'ACTIVE'
                then {{ exact_ratio('1', best_level('offered.ex.availabletolay', 'min', 'size')) }}
        end as bid,
        case
            when named.has_odds and offered.runner.status = 'ACTIVE'
                then {{ exact_ratio('1', best_level('offered.ex.availabletoback', 'max', 'size')) }}
        end as ask,
        case
            when named.has_odds
                then {{ exact_ratio('1', try_cast('offered.runner.lastpricetraded', money_type())) }}
        end as last_price,
        offered.runner.status as state,
        coalesce(walks.venue_time, offered.fetched_at) as observed_at
    from named
    left join offered on named.contract_id = offered.contract_id
    left join walks on offered.walk_id = walks.walk_id
    where offered.contract_id is not null

)

select * from priced
