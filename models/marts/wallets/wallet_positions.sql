{{ config(materialized='view') }}

with totals as (

    select * from {{ ref('int_position_totals') }}
    where trades > 0

),

ledger as (

    select * from {{ ref('int_ledger_totals') }}

),

ledger_breaks as (

    select * from {{ ref('int_ledger_breaks') }}

),

outcomes as (

    select * from {{ ref('int_market_outcomes') }}

),

moment as (

    select * from {{ ref('int_as_of') }}

),

-- What is known of an outcome at the moment of the scores: a payout or a price that came later does not count.
known_outcomes as (

    select
        outcomes.contract_id,
        outcomes.market_id,
        outcomes.outcome,
        case when outcomes.resolved_at <= moment.as_of then outcomes.payout end as payout,
        case when outcomes.observed_at <= moment.as_of then outcomes.price end as price,
        outcomes.is_resolved and outcomes.resolved_at <= moment.as_of as is_resolved,
        outcomes.is_voided and outcomes.resolved_at <= moment.as_of as is_voided
    from outcomes
    cross join moment

),

moved as (

    select
        coalesce(totals.wallet_address, ledger.wallet_address) as wallet_address,
        coalesce(totals.token_id, ledger.token_id) as token_id,
        coalesce(totals.condition_id, ledger.market_id) as condition_id,
        coalesce(totals.trades, 0) as trades,
        coalesce(totals.shares_bought, 0) as shares_bought,
        coalesce(totals.shares_sold, 0) as shares_sold,
        coalesce(totals.bought_share_seconds, 0) + coalesce(ledger.share_seconds_in, 0) as share_seconds_in,
        coalesce(totals.sold_share_seconds, 0) + coalesce(ledger.share_seconds_out, 0) as share_seconds_out,
        coalesce(totals.bought_usd, 0) as bought_usd,
        coalesce(totals.sold_usd, 0) as sold_usd,
        coalesce(totals.buy_fees_usd, 0) as buy_fees_usd,
        coalesce(totals.sell_fees_usd, 0) as sell_fees_usd,
        coalesce(ledger.shares_split, 0) as shares_split,
        coalesce(ledger.shares_merged, 0) as shares_merged,
        coalesce(ledger.shares_redeemed, 0) as shares_redeemed,
        coalesce(ledger.shares_converted_in, 0) as shares_converted_in,
        coalesce(ledger.shares_converted_out, 0) as shares_converted_out,
        coalesce(ledger.split_usd, 0) as split_usd,
        coalesce(ledger.merged_usd, 0) as merged_usd,
        coalesce(ledger.redeemed_usd, 0) as redeemed_usd,
        coalesce(ledger.converted_in_usd, 0) as converted_in_usd,
        coalesce(ledger.converted_out_usd, 0) as converted_out_usd,
        coalesce(totals.fees_complete, true) as fees_complete,
        totals.first_trade_at,
        totals.last_trade_at
    from totals
    full outer join ledger
        on
            totals.wallet_address = ledger.wallet_address
            and totals.token_id = ledger.token_id

),

described as (

    select
        moved.*,
        coalesce(known_outcomes.market_id, moved.condition_id) as market_id,
        moved.shares_bought + moved.shares_split + moved.shares_converted_in as shares_acquired,
        moved.shares_sold + moved.shares_merged + moved.shares_redeemed + moved.shares_converted_out as shares_disposed,
        moved.bought_usd + moved.buy_fees_usd + moved.split_usd + moved.converted_in_usd as cost_usd,
        moved.buy_fees_usd + moved.sell_fees_usd as fees_usd,
        moved.sold_usd - moved.bought_usd - moved.buy_fees_usd - moved.sell_fees_usd + moved.merged_usd
        - moved.split_usd + moved.converted_out_usd - moved.converted_in_usd as cash_before_redemption_usd,
        known_outcomes.outcome,
        known_outcomes.payout,
        known_outcomes.price,
        coalesce(known_outcomes.is_resolved, false) as is_resolved,
        coalesce(known_outcomes.is_voided, false) as is_voided
    from moved
    left join known_outcomes on moved.token_id = known_outcomes.contract_id

),

balanced as (

    select
        described.*,
        ledger_breaks.market_id is null
        and described.shares_disposed <= described.shares_acquired as is_conserved,
        greatest(described.shares_acquired - described.shares_disposed, 0) as shares_held,
        greatest(described.shares_disposed - described.shares_acquired, 0) as shares_transferred,
        least(described.shares_disposed, described.shares_acquired) as shares_matched,
        -- What is redeemed counts as if it were held still, so that redeeming changes no profit.
        described.shares_acquired - described.shares_disposed + described.shares_redeemed as shares_left
    from described
    left join ledger_breaks
        on
            described.wallet_address = ledger_breaks.wallet_address
            and described.market_id = ledger_breaks.market_id

),

costed as (

    select
        *,
        -- Nearly every payout is nothing or all, and rounding a product of wide decimals is slow.
        case
            when payout = 0 then cast(0 as {{ money_type() }})
            when payout = 1 then shares_left
            else cast(shares_left * payout as {{ money_type() }})
        end as payout_usd,
        {{ prorate('cost_usd', 'shares_matched', 'shares_acquired') }} as cost_of_disposed_usd
    from balanced

),

positions as (

    select
        'polymarket' as venue,
        wallet_address,
        -- The venue's rows of some old fills name no market; each of their tokens stands for itself.
        coalesce(market_id, 'token:' || token_id) as market_id,
        market_id as condition_id,
        token_id,
        outcome,
        case
            when is_resolved then 'resolved'
            when is_voided then 'voided'
            when shares_held = 0 then 'closed'
            else 'open'
        end as status,
        cast(trades as int64) as trades,
        {%- for column in [
            'shares_bought', 'shares_sold', 'shares_split', 'shares_merged', 'shares_redeemed',
            'shares_converted_in', 'shares_converted_out', 'shares_transferred', 'shares_held',
            'bought_usd', 'sold_usd', 'split_usd', 'merged_usd', 'redeemed_usd', 'converted_in_usd',
            'converted_out_usd', 'fees_usd', 'share_seconds_in', 'share_seconds_out',
        ] %}
        cast({{ column }} as {{ money_type() }}) as {{ column }},
        {%- endfor %}
        cast(bought_usd + buy_fees_usd + split_usd as {{ money_type() }}) as stake_usd,
        cast(cash_before_redemption_usd + redeemed_usd as {{ money_type() }}) as cash_flow_usd,
        payout,
        cast(
            sold_usd - sell_fees_usd + merged_usd + redeemed_usd + converted_out_usd - cost_of_disposed_usd
            as {{ money_type() }}
        ) as realized_cash_pnl,
        case
            when is_resolved then cast(cash_before_redemption_usd + payout_usd as {{ money_type() }})
        end as resolved_pnl,
        case
            when not is_resolved and not is_voided
                then
                    cast(
                        cast(shares_held * price as {{ money_type() }}) - (cost_usd - cost_of_disposed_usd)
                        as {{ money_type() }}
                    )
        end as unrealized_pnl,
        is_conserved,
        fees_complete,
        first_trade_at,
        last_trade_at
    from costed

)

select * from positions
