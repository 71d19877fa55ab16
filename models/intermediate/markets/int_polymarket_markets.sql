{{
    config(
        materialized='incremental',
        unique_key='condition_id',
        incremental_strategy='merge',
        on_schema_change='fail',
        cluster_by=clustering(['condition_id']),
        post_hook="{{ remember_loads() }}",
    )
}}

{%- set day = first_fetch() -%}

with new_loads as (

    {{ new_loads() }}

),

walks as (

    select * from {{ ref('stg_polymarket__walks') }}
    where
        resource = 'markets'
        and {{ fetched_since('ended_at', day) }}

),

new_rows as (

    select
        markets.condition_id,
        markets.payload,
        markets.fetched_at,
        markets.walk_id,
        markets.walk_position,
        min(new_loads.committed_at) over (partition by markets.condition_id) as first_loaded_at,
        -- Fee schedules tend to vanish when a market closes, so that the last row that has one matters as well.
        (
            strpos(markets.payload, '"feeSchedule":{') > 0
            or strpos(markets.payload, '"feeSchedule": {') > 0
        ) as has_fee_schedule
    from {{ ref('stg_polymarket__markets') }} as markets
    inner join new_loads
        on
            markets.load_id = new_loads.load_id
            and new_loads.venue = 'polymarket'
    where
        markets.condition_id != ''
        and {{ fetched_since('markets.fetched_at', day) }}

),

newest_rows as (

    select * from new_rows
    qualify
        row_number() over (
            partition by condition_id
            order by fetched_at desc, walk_id desc, walk_position desc
        ) = 1
        or (
            has_fee_schedule
            and row_number() over (
                partition by condition_id, has_fee_schedule
                order by fetched_at desc, walk_id desc, walk_position desc
            ) = 1
        )

),

parsed as (

    select
        *,
        {{ json_fields('payload', [
            'slug', 'question', 'category', 'feeType', 'umaResolutionStatus', 'outcomes', 'outcomePrices',
            'clobTokenIds', 'positionIds', 'events', 'tags', 'volume', 'volumeNum', 'volume24hr', 'bestBid', 'bestAsk',
            'lastTradePrice', 'feesEnabled', 'feeSchedule', 'active', 'closed', 'archived', 'acceptingOrders', 'negRisk',
            'startDate', 'endDate', 'closedTime', 'umaEndDate', 'updatedAt',
        ]) }} as market
    from newest_rows

),

schedules as (

    select
        *,
        {{ json_fields('parsed.market.feeschedule', ['rate', 'exponent']) }} as schedule
    from parsed

),

renamed as (

    select
        -- ids
        schedules.condition_id,
        {{ array_element(json_texts('schedules.market.events', 'id'), 0) }} as event_id,
        {{ array_element(json_texts('schedules.market.events', 'slug'), 0) }} as event_slug,
        schedules.market.slug,

        -- strings
        schedules.market.question as title,
        nullif(lower(schedules.market.category), '') as venue_category,
        nullif(lower(schedules.market.feetype), '') as fee_type,
        nullif(lower(schedules.market.umaresolutionstatus), '') as uma_status,
        {{ json_texts('schedules.market.outcomes') }} as outcomes,
        {{ json_texts('schedules.market.outcomeprices') }} as outcome_prices,
        {{ json_texts('coalesce(schedules.market.clobtokenids, schedules.market.positionids)') }} as token_ids,
        {{ json_texts('schedules.market.tags', 'slug') }} as tags,

        -- numerics
        {{ try_cast('coalesce(schedules.market.volume, schedules.market.volumenum)', money_type()) }} as volume,
        {{ try_cast('schedules.market.volume24hr', money_type()) }} as volume_24hr,
        {{ try_cast('schedules.market.bestbid', money_type()) }} as best_bid,
        {{ try_cast('schedules.market.bestask', money_type()) }} as best_ask,
        {{ try_cast('schedules.market.lasttradeprice', money_type()) }} as last_trade_price,
        {{ try_cast('schedules.schedule.rate', money_type()) }} as fee_rate,
        {{ read_integer('schedules.schedule.exponent') }} as fee_exponent,

        -- booleans
        coalesce(schedules.market.active = 'true', false) as is_active,
        coalesce(schedules.market.closed = 'true', false) as is_closed,
        coalesce(schedules.market.archived = 'true', false) as is_archived,
        coalesce(schedules.market.acceptingorders != 'false', true) as is_accepting_orders,
        schedules.market.feesenabled = 'true' as has_fees,

        -- timestamps
        {{ parse_timestamp('schedules.market.startdate') }} as start_date,
        {{ parse_timestamp('schedules.market.enddate') }} as end_date,
        coalesce(
            {{ parse_timestamp('schedules.market.closedtime') }},
            {{ parse_timestamp('schedules.market.umaenddate') }},
            {{ parse_timestamp('schedules.market.updatedat') }}
        ) as closed_at,
        case when schedules.schedule.rate is not null then schedules.fetched_at end as fee_read_at,

        -- load metadata
        coalesce(walks.venue_time, schedules.fetched_at) as observed_at,
        schedules.first_loaded_at,
        schedules.fetched_at,
        schedules.walk_id,
        schedules.walk_position
    from schedules
    left join walks on schedules.walk_id = walks.walk_id

),

readings as (

    select * from renamed
    {%- if is_incremental() %}
    union all
    select * from {{ this }}
    where condition_id in (select renamed.condition_id from renamed)
    {%- endif %}

),

-- Whatever the order in which loads are committed, the row read last wins.
newest as (

    select
        condition_id,
        event_id,
        event_slug,
        slug,
        title,
        venue_category,
        fee_type,
        uma_status,
        outcomes,
        outcome_prices,
        token_ids,
        tags,
        volume,
        volume_24hr,
        best_bid,
        best_ask,
        last_trade_price,
        first_value(fee_rate) over (partition by condition_id order by fee_read_at desc nulls last) as fee_rate,
        first_value(fee_exponent) over (partition by condition_id order by fee_read_at desc nulls last) as fee_exponent,
        is_active,
        is_closed,
        is_archived,
        is_accepting_orders,
        has_fees,
        start_date,
        end_date,
        closed_at,
        max(fee_read_at) over (partition by condition_id) as fee_read_at,
        observed_at,
        min(first_loaded_at) over (partition by condition_id) as first_loaded_at,
        fetched_at,
        walk_id,
        walk_position
    from readings
    qualify
        row_number() over (
            partition by condition_id
            order by fetched_at desc, walk_id desc, walk_position desc
        ) = 1

)

select * from newest
