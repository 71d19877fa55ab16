{{ config(cluster_by=clustering(['match_id'])) }}

with matches as (

    select * from {{ ref('market_matches') }}

),

contracts as (

    select * from {{ ref('contracts') }}

),

markets as (

    select * from {{ ref('int_venue_markets') }}

),

venue_fees as (

    select * from {{ ref('venue_fees') }}

),

-- What a market says itself goes before what its venue says of all.
fees as (

    select
        matches.contract_id,
        coalesce(markets.profit_share, venue_fees.profit_share) as profit_share,
        case when markets.profit_share is not null then 0 else venue_fees.trade_rate end as trade_rate
    from matches
    inner join contracts on matches.contract_id = contracts.contract_id
    left join markets on contracts.market_id = markets.market_id
    left join venue_fees on contracts.venue = venue_fees.venue

),

-- Prices of what the match asks: of a contract that pays when it does not come true, all is turned round.
prices as (

    select
        matches.match_id,
        matches.contract_id,
        prices.venue,
        prices.snapshot_time,
        case when matches.is_inverse then 1 - prices.yes_price else prices.yes_price end as price,
        case when matches.is_inverse then 1 - prices.ask else prices.bid end as bid,
        case when matches.is_inverse then 1 - prices.bid else prices.ask end as ask
    from {{ ref('price_snapshots') }} as prices
    inner join matches on prices.contract_id = matches.contract_id
    -- Of a history and an observation of one moment, what we saw ourselves.
    qualify
        row_number() over (
            partition by prices.contract_id, prices.snapshot_time
            order by case when prices.fidelity = 'observed' then 1 else 2 end, prices.fidelity
        ) = 1

),

pairs as (

    select
        left_matches.match_id,
        left_contracts.venue as left_venue,
        left_matches.contract_id as left_contract_id,
        right_contracts.venue as right_venue,
        right_matches.contract_id as right_contract_id
    from matches as left_matches
    inner join matches as right_matches on left_matches.match_id = right_matches.match_id
    inner join contracts as left_contracts on left_matches.contract_id = left_contracts.contract_id
    inner join contracts as right_contracts on right_matches.contract_id = right_contracts.contract_id
    where
        left_contracts.venue < right_contracts.venue
        or (left_contracts.venue = right_contracts.venue and left_matches.contract_id < right_matches.contract_id)

),

-- Every moment at which either of the two was told, each with its own.
told as (

    select
        pairs.left_contract_id,
        pairs.right_contract_id,
        prices.snapshot_time,
        prices.snapshot_time as left_time,
        prices.price as left_price,
        prices.bid as left_bid,
        prices.ask as left_ask,
        cast(null as timestamp) as right_time,
        cast(null as {{ money_type() }}) as right_price,
        cast(null as {{ money_type() }}) as right_bid,
        cast(null as {{ money_type() }}) as right_ask
    from pairs
    inner join prices on pairs.left_contract_id = prices.contract_id
    union all
    select
        pairs.left_contract_id,
        pairs.right_contract_id,
        prices.snapshot_time,
        cast(null as timestamp) as left_time,
        cast(null as {{ money_type() }}) as left_price,
        cast(null as {{ money_type() }}) as left_bid,
        cast(null as {{ money_type() }}) as left_ask,
        prices.snapshot_time as right_time,
        prices.price as right_price,
        prices.bid as right_bid,
        prices.ask as right_ask
    from pairs
    inner join prices on pairs.right_contract_id = prices.contract_id

),

moments as (

    select
        left_contract_id,
        right_contract_id,
        snapshot_time,
        max(left_time) as left_time,
        max(left_price) as left_price,
        max(left_bid) as left_bid,
        max(left_ask) as left_ask,
        max(right_time) as right_time,
        max(right_price) as right_price,
        max(right_bid) as right_bid,
        max(right_ask) as right_ask
    from told
    group by left_contract_id, right_contract_id, snapshot_time

),

-- What each was told last. Which row that is decides its moment: a side that had no bid then has none now.
carried as (

    select
        left_contract_id,
        right_contract_id,
        snapshot_time,
        last_value(left_time ignore nulls) over so_far as left_time,
        last_value(right_time ignore nulls) over so_far as right_time
    from moments
    window so_far as (
        partition by left_contract_id, right_contract_id
        order by snapshot_time
        rows between unbounded preceding and current row
    )

),

beside as (

    select
        pairs.match_id,
        pairs.left_venue,
        pairs.left_contract_id,
        pairs.right_venue,
        pairs.right_contract_id,
        carried.snapshot_time,
        carried.left_time,
        carried.right_time,
        left_prices.price as left_price,
        left_prices.bid as left_bid,
        left_prices.ask as left_ask,
        right_prices.price as right_price,
        right_prices.bid as right_bid,
        right_prices.ask as right_ask
    from carried
    inner join pairs
        on
            carried.left_contract_id = pairs.left_contract_id
            and carried.right_contract_id = pairs.right_contract_id
    inner join prices as left_prices
        on
            carried.left_contract_id = left_prices.contract_id
            and carried.left_time = left_prices.snapshot_time
    inner join prices as right_prices
        on
            carried.right_contract_id = right_prices.contract_id
            and carried.right_time = right_prices.snapshot_time
    where
        {{ unix_seconds('carried.snapshot_time') }} - {{ unix_seconds('carried.left_time') }}
        <= {{ var('match_max_age_seconds') }}
        and {{ unix_seconds('carried.snapshot_time') }} - {{ unix_seconds('carried.right_time') }}
        <= {{ var('match_max_age_seconds') }}

),

-- Bought where it is offered cheaper, sold where more is bid.
crossed as (

    select
        *,
        case
            when right_bid > left_ask then left_venue
            when left_bid > right_ask then right_venue
        end as buy_venue,
        case
            when right_bid > left_ask then right_venue
            when left_bid > right_ask then left_venue
        end as sell_venue,
        case when right_bid > left_ask then left_contract_id else right_contract_id end as buy_contract_id,
        case when right_bid > left_ask then right_contract_id else left_contract_id end as sell_contract_id,
        case when right_bid > left_ask then left_ask when left_bid > right_ask then right_ask end as buy_price,
        case when right_bid > left_ask then right_bid when left_bid > right_ask then left_bid end as sell_price
    from beside

),

-- One of the two positions wins, and we do not know which: the dearer profit is counted. A share sold at 0.40 is one of
-- the opposite bought at 0.60, whose profit is 0.40.
charged as (

    select
        crossed.*,
        {{ exact_product('buy_fees.trade_rate', exact_product('crossed.buy_price', '(1 - crossed.buy_price)')) }}
        + {{ exact_product('sell_fees.trade_rate', exact_product('crossed.sell_price', '(1 - crossed.sell_price)')) }}
        + greatest(
            {{ exact_product('buy_fees.profit_share', '(1 - crossed.buy_price)') }},
            {{ exact_product('sell_fees.profit_share', 'crossed.sell_price') }}
        ) as fees_usd
    from crossed
    left join fees as buy_fees on crossed.buy_contract_id = buy_fees.contract_id
    left join fees as sell_fees on crossed.sell_contract_id = sell_fees.contract_id

),

compared as (

    select
        match_id,
        left_venue,
        left_contract_id,
        right_venue,
        right_contract_id,
        snapshot_time,
        left_time,
        right_time,
        left_price,
        left_bid,
        left_ask,
        right_price,
        right_bid,
        right_ask,
        cast(left_price - right_price as {{ money_type() }}) as spread,
        buy_venue,
        sell_venue,
        cast(sell_price - buy_price as {{ money_type() }}) as arbitrage,
        cast(sell_price - buy_price - fees_usd as {{ money_type() }}) as arbitrage_after_fees
    from charged

)

select * from compared
