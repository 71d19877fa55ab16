{{ config(cluster_by=clustering(['match_id'])) }}

with matched_prices as (

    select * from {{ ref('matched_prices') }}

),

-- How much each moved since the moment before, and how much it does until the one after.
steps as (

    select
        *,
        left_price - lag(left_price) over in_order as left_step,
        right_price - lag(right_price) over in_order as right_step,
        lead(left_price) over in_order - left_price as next_left_step,
        lead(right_price) over in_order - right_price as next_right_step
    from matched_prices
    window in_order as (
        partition by left_contract_id, right_contract_id
        order by snapshot_time
    )

),

-- A venue leads where it moves alone and the other one follows in the same direction.
moves as (

    select
        *,
        left_step != 0 and right_step = 0 and sign(next_right_step) = sign(left_step) as is_left_lead,
        right_step != 0 and left_step = 0 and sign(next_left_step) = sign(right_step) as is_right_lead
    from steps

),

summed as (

    select
        match_id,
        left_venue,
        left_contract_id,
        right_venue,
        right_contract_id,
        count(*) as moments,
        min(snapshot_time) as first_snapshot_time,
        max(snapshot_time) as last_snapshot_time,
        cast(max(abs(spread)) as {{ money_type() }}) as max_spread,
        sum(case when is_left_lead then 1 else 0 end) as left_leads,
        sum(case when is_right_lead then 1 else 0 end) as right_leads,
        sum(case when arbitrage > 0 then 1 else 0 end) as arbitrage_moments,
        sum(case when arbitrage_after_fees > 0 then 1 else 0 end) as profitable_moments
    from moves
    group by match_id, left_venue, left_contract_id, right_venue, right_contract_id

),

led as (

    select
        match_id,
        left_venue,
        left_contract_id,
        right_venue,
        right_contract_id,
        cast(moments as int64) as moments,
        first_snapshot_time,
        last_snapshot_time,
        max_spread,
        cast(left_leads as int64) as left_leads,
        cast(right_leads as int64) as right_leads,
        case when left_leads > right_leads then left_venue when right_leads > left_leads then right_venue end as leader,
        cast(arbitrage_moments as int64) as arbitrage_moments,
        cast(profitable_moments as int64) as profitable_moments
    from summed

)

select * from led
