{{ config(cluster_by=clustering(['scope'])) }}

with snapshots as (

    select * from {{ ref('price_snapshots') }}

),

markets as (

    select
        market_id,
        winners
    from {{ ref('int_venue_markets') }}

),

contracts as (

    select
        market_id,
        count(*) as contracts
    from {{ ref('contracts') }}
    group by market_id

),

walks as (

    select * from {{ ref('stg_venues__walks') }}
    where {{ reads_prices() }}

),

-- The venue's prices are wrong, or we read them wrongly.
impossible as (

    select
        venue,
        'impossible_price' as kind,
        contract_id as scope,
        snapshot_time as first_at,
        snapshot_time as last_at,
        1 as price_count,
        'a price outside 0 to 1, or a bid above the offer' as detail
    from snapshots
    where
        least(coalesce(bid, 0), coalesce(ask, 0), coalesce(last_price, 0)) < 0
        or greatest(coalesce(bid, 0), coalesce(ask, 0), coalesce(last_price, 0)) > 1
        or bid > ask

),

-- All contracts of a market as one answer told them.
sums as (

    select
        snapshots.venue,
        snapshots.market_id,
        min(snapshots.snapshot_time) as first_at,
        max(snapshots.snapshot_time) as last_at,
        count(*) as quoted,
        sum(snapshots.mid_price) as total,
        max(markets.winners) as winners
    from snapshots
    inner join markets on snapshots.market_id = markets.market_id
    inner join contracts on snapshots.market_id = contracts.market_id
    where
        snapshots.fidelity = 'observed'
        and snapshots.mid_price is not null
        and markets.winners is not null
    group by snapshots.venue, snapshots.market_id, snapshots.snapshot_time
    having count(*) = max(contracts.contracts) and count(*) > 1

),

far_sums as (

    select
        venue,
        'sum_far_from_one' as kind,
        market_id as scope,
        first_at,
        last_at,
        quoted as price_count,
        'the middles of all contracts do not sum to the number of winners' as detail
    from sums
    where abs(total - winners) > cast('{{ var("price_sum_tolerance") }}' as {{ money_type() }}) * winners

),

in_order as (

    select
        *,
        lag(yes_price) over observations as price_before,
        lag(snapshot_time) over observations as time_before
    from snapshots
    where fidelity = 'observed'
    window observations as (
        partition by contract_id
        order by snapshot_time
    )

),

jumps as (

    select
        venue,
        'price_jump' as kind,
        contract_id as scope,
        time_before as first_at,
        snapshot_time as last_at,
        2 as price_count,
        'a great change from one observation to the next' as detail
    from in_order
    where
        abs(yes_price - price_before) >= cast('{{ var("price_jump") }}' as {{ money_type() }})
        and {{ unix_seconds('snapshot_time') }} - {{ unix_seconds('time_before') }} <= {{ var('price_jump_seconds') }}

),

-- What lies further apart than the schedule allows was not observed.
reads as (

    select
        venue,
        started_at,
        lag(started_at) over (partition by venue order by started_at) as read_before
    from walks

),

unobserved as (

    select
        venue,
        'too_few_observations' as kind,
        venue as scope,
        read_before as first_at,
        started_at as last_at,
        0 as price_count,
        'nothing was read for longer than the schedule implies' as detail
    from reads
    where {{ unix_seconds('started_at') }} - {{ unix_seconds('read_before') }} > {{ var('price_schedule_seconds') }}

),

-- Runs read the venue, and did not find the market. One of them may have lasted past midnight.
missed as (

    select
        venue,
        'too_few_observations' as kind,
        market_id as scope,
        cast(price_date as timestamp) as first_at,
        {{ timestamp_plus_minutes('cast(price_date as timestamp)', 24 * 60) }} as last_at,
        observations as price_count,
        'the market was told in fewer runs of the day than there were' as detail
    from {{ ref('price_coverage') }}
    where
        is_whole_day
        and reads - observations > 1
        and observations < {{ var('price_coverage_min_share') }} * reads

),

-- A venue whose own stamp stands still repeats itself.
stamps as (

    select
        venue,
        venue_time,
        min(snapshot_time) as first_at,
        max(snapshot_time) as last_at,
        count(*) as price_count
    from snapshots
    where
        fidelity = 'observed'
        and venue_time is not null
    group by venue, venue_time

),

stale as (

    select
        venue,
        'stale_feed' as kind,
        venue as scope,
        first_at,
        last_at,
        price_count,
        'the venue stamped its prices with the same moment for too long' as detail
    from stamps
    where {{ unix_seconds('last_at') }} - {{ unix_seconds('first_at') }} > {{ var('price_stale_seconds') }}

),

-- One contract twice in one walk: the venue lists it twice, or a page came twice.
twice as (

    select
        venue,
        'duplicated_price' as kind,
        contract_id as scope,
        min(snapshot_time) as first_at,
        max(snapshot_time) as last_at,
        count(*) as price_count,
        'a contract was told more than once in one walk' as detail
    from {{ ref('int_venue_prices') }}
    where fidelity = 'observed'
    group by venue, contract_id, walk_id
    having count(*) > 1 and count(distinct walk_position) > 1

),

all_anomalies as (

    select * from impossible
    union all
    select * from far_sums
    union all
    select * from jumps
    union all
    select * from unobserved
    union all
    select * from missed
    union all
    select * from stale
    union all
    select * from twice

),

named as (

    select
        venue,
        kind,
        scope,
        first_at,
        last_at,
        cast(price_count as int64) as price_count,
        detail
    from all_anomalies

)

select * from named
