{{ config(materialized='view') }}

with wallets as (

    select * from {{ ref('wallets_needing_sync') }}

),

stretches as (

    select * from {{ ref('int_wallet_stretches') }}

),

failed_walks as (

    select * from {{ ref('int_wallet_walks') }}
    where status = 'failed'

),

polymarket_walks as (

    select
        'polymarket' as venue,
        status,
        load_id
    from {{ ref('stg_polymarket__walks') }}
    where resource = 'markets'

),

dome_walks as (

    select
        'dome' as venue,
        status,
        load_id
    from {{ ref('stg_dome__walks') }}
    where resource = 'markets'

),

loads as (

    select * from {{ ref('int_loads') }}

),

traded_markets as (

    select * from {{ ref('int_traded_markets') }}
    where trades > 0

),

markets as (

    select * from {{ ref('markets') }}

),

due_markets as (

    select * from {{ ref('markets_needing_sync') }}

),

moment as (

    select * from {{ ref('int_as_of') }}

),

wanted as (

    select
        venue,
        wallet_address,
        'trades' as resource
    from wallets
    union all
    select
        venue,
        wallet_address,
        'activity' as resource
    from wallets

),

last_completed as (

    select
        venue,
        wallet_address,
        resource,
        max(last_completed_at) as last_completed_at
    from stretches
    group by venue, wallet_address, resource

),

-- Of a wallet's failures since its last success the newest says it all: the next walk begins where that one did.
truncated as (

    select
        failed_walks.venue,
        failed_walks.wallet_address,
        failed_walks.resource,
        failed_walks.covered_from,
        failed_walks.covered_to,
        failed_walks.error
    from failed_walks
    left join last_completed
        on
            failed_walks.venue = last_completed.venue
            and failed_walks.wallet_address = last_completed.wallet_address
            and failed_walks.resource = last_completed.resource
    where
        last_completed.last_completed_at is null
        or failed_walks.ended_at > last_completed.last_completed_at
    qualify
        row_number() over (
            partition by failed_walks.venue, failed_walks.wallet_address, failed_walks.resource
            order by failed_walks.ended_at desc, failed_walks.walk_id desc
        ) = 1

),

truncated_gaps as (

    select
        venue,
        'truncated_walk' as kind,
        wallet_address as scope,
        resource,
        nullif(covered_from, {{ epoch_timestamp("'0'") }}) as gap_from,
        covered_to as gap_to,
        error as detail,
        true as is_fillable
    from truncated

),

never_read_gaps as (

    select
        wanted.venue,
        'never_read' as kind,
        wanted.wallet_address as scope,
        wanted.resource,
        cast(null as timestamp) as gap_from,
        cast(null as timestamp) as gap_to,
        'no walk of it has been completed' as detail,
        true as is_fillable
    from wanted
    left join last_completed
        on
            wanted.venue = last_completed.venue
            and wanted.wallet_address = last_completed.wallet_address
            and wanted.resource = last_completed.resource
    left join truncated
        on
            wanted.venue = truncated.venue
            and wanted.wallet_address = truncated.wallet_address
            and wanted.resource = truncated.resource
    where
        last_completed.wallet_address is null
        and truncated.wallet_address is null

),

in_order as (

    select
        venue,
        wallet_address,
        resource,
        lag(covered_to) over (partition by venue, wallet_address, resource order by covered_from) as covered_before,
        covered_from
    from stretches

),

hole_gaps as (

    select
        venue,
        'hole' as kind,
        wallet_address as scope,
        resource,
        covered_before as gap_from,
        covered_from as gap_to,
        case
            when covered_before is null then 'the history before it was never read'
            else 'between two walks that do not touch'
        end as detail,
        true as is_fillable
    from in_order
    where
        covered_before is not null
        or covered_from > {{ epoch_timestamp("'0'") }}

),

market_walks as (

    select * from polymarket_walks
    union all
    select * from dome_walks

),

last_asked as (

    select
        market_walks.venue,
        max(case when market_walks.status = 'completed' then loads.committed_at end) as answered_at,
        max(case when market_walks.status != 'completed' then loads.committed_at end) as failed_at
    from market_walks
    inner join loads
        on
            market_walks.venue = loads.venue
            and market_walks.load_id = loads.load_id
    group by market_walks.venue

),

-- A run asks for every market that its rows name. What is still unknown after that was answered, the venue does not
-- list, and no further run will change that.
unknown_markets as (

    select
        due_markets.venue,
        due_markets.condition_id,
        traded_markets.trades,
        coalesce(
            last_asked.answered_at >= traded_markets.last_loaded_at
            and (last_asked.failed_at is null or last_asked.failed_at < traded_markets.last_loaded_at),
            false
        ) as is_unlisted
    from due_markets
    inner join traded_markets on due_markets.condition_id = traded_markets.market_id
    left join last_asked on due_markets.venue = last_asked.venue
    where due_markets.reason = 'unknown'

),

unknown_market_gaps as (

    select
        venue,
        case when is_unlisted then 'unlisted_market' else 'unknown_market' end as kind,
        condition_id as scope,
        'markets' as resource,
        cast(null as timestamp) as gap_from,
        cast(null as timestamp) as gap_to,
        concat('trades of it: ', cast(trades as string)) as detail,
        not is_unlisted as is_fillable
    from unknown_markets

),

stale_market_gaps as (

    select
        due_markets.venue,
        'stale_market' as kind,
        due_markets.condition_id as scope,
        'markets' as resource,
        markets.observed_at as gap_from,
        moment.as_of as gap_to,
        concat('undecided when it was last read, priority ', markets.sync_priority) as detail,
        true as is_fillable
    from due_markets
    inner join markets on due_markets.condition_id = markets.market_id
    cross join moment
    where
        markets.sync_priority in ('high', 'normal')
        and markets.observed_at <= {{ timestamp_minus_days('moment.as_of', var('market_stale_days')) }}

),

all_gaps as (

    select * from truncated_gaps
    union all
    select * from never_read_gaps
    union all
    select * from hole_gaps
    union all
    select * from unknown_market_gaps
    union all
    select * from stale_market_gaps

),

named as (

    select
        venue,
        kind,
        scope,
        resource,
        detail,
        -- A run begins at the first gap of each wallet that it reads, and asks for all markets that are due.
        case
            when not is_fillable then 'nothing: the venue does not list it; its trades stay, as Uncategorized'
            when resource = 'markets' then concat('dlt pipeline ', venue, ' run')
            else concat('dlt pipeline ', venue, ' run --wallets ', scope)
        end as what_to_do,
        is_fillable,
        gap_from,
        gap_to
    from all_gaps

)

select * from named
