{{ config(cluster_by=clustering(['wallet_address', 'token_id'])) }}

with moves as (

    select * from {{ ref('int_ledger_moves') }}

),

redemptions as (

    select * from {{ ref('int_redemptions') }}

),

all_moves as (

    select
        wallet_address,
        market_id,
        token_id,
        move_type,
        shares,
        usd_value,
        shares * {{ unix_seconds('timestamp') }} as share_seconds
    from moves
    union all
    select
        wallet_address,
        market_id,
        token_id,
        'REDEEM' as move_type,
        shares_redeemed as shares,
        redeemed_usd as usd_value,
        0 as share_seconds
    from redemptions

),

summed as (

    select
        wallet_address,
        token_id,
        max(market_id) as market_id,
        sum(case when move_type = 'SPLIT' then shares else 0 end) as shares_split,
        sum(case when move_type = 'MERGE' then shares else 0 end) as shares_merged,
        sum(case when move_type = 'REDEEM' then shares else 0 end) as shares_redeemed,
        sum(case when move_type = 'CONVERSION_IN' then shares else 0 end) as shares_converted_in,
        sum(case when move_type = 'CONVERSION_OUT' then shares else 0 end) as shares_converted_out,
        sum(
            case when move_type in ('SPLIT', 'CONVERSION_IN') then share_seconds else 0 end
        ) as share_seconds_in,
        sum(
            case when move_type in ('MERGE', 'CONVERSION_OUT') then share_seconds else 0 end
        ) as share_seconds_out,
        sum(case when move_type = 'SPLIT' then usd_value else 0 end) as split_usd,
        sum(case when move_type = 'MERGE' then usd_value else 0 end) as merged_usd,
        sum(case when move_type = 'REDEEM' then usd_value else 0 end) as redeemed_usd,
        sum(case when move_type = 'CONVERSION_IN' then usd_value else 0 end) as converted_in_usd,
        sum(case when move_type = 'CONVERSION_OUT' then usd_value else 0 end) as converted_out_usd
    from all_moves
    group by wallet_address, token_id

),

totals as (

    select
        wallet_address,
        {%- for column in [
            'shares_split', 'shares_merged', 'shares_redeemed', 'shares_converted_in', 'shares_converted_out',
            'share_seconds_in', 'share_seconds_out', 'split_usd', 'merged_usd', 'redeemed_usd', 'converted_in_usd', 'converted_out_usd',
        ] %}
        cast({{ column }} as {{ money_type() }}) as {{ column }},
        {%- endfor %}
        token_id,
        market_id
    from summed

)

select * from totals
