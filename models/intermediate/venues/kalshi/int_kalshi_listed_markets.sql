{{
    config(
        materialized='incremental',
        unique_key='ticker',
        incremental_strategy='merge',
        on_schema_change='fail',
        cluster_by=clustering(['ticker']),
        post_hook="{{ remember_loads() }}",
    )
}}

with {{ new_readings(ref('stg_kalshi__markets'), 'kalshi', 'ticker') }},

parsed as (

    select
        *,
        {{ json_fields('payload', [
            'title', 'yes_sub_title', 'no_sub_title', 'result', 'yes_bid_dollars', 'yes_bid_size_fp',
            'yes_ask_dollars', 'yes_ask_size_fp', 'last_price_dollars', 'volume_fp', 'volume_24h_fp',
            'settlement_value_dollars',
        ]) }} as thing
    from new_rows

),

renamed as (

    select
        parsed.ticker,
        parsed.event_ticker,
        coalesce(nullif(parsed.thing.title, ''), parsed.thing.yes_sub_title) as title,
        parsed.thing.yes_sub_title as yes_title,
        parsed.thing.no_sub_title as no_title,
        parsed.status,
        nullif(parsed.thing.result, '') as result,
        {{ quote('parsed.thing.yes_bid_dollars', 'parsed.thing.yes_bid_size_fp') }} as bid,
        {{ quote('parsed.thing.yes_ask_dollars', 'parsed.thing.yes_ask_size_fp') }} as ask,
        {{ quote('parsed.thing.last_price_dollars', 'parsed.thing.volume_fp') }} as last_price,
        cast({{ read_price('parsed.thing.settlement_value_dollars') }} as {{ money_type() }}) as settlement_value,
        cast({{ read_amount('parsed.thing.volume_fp') }} as {{ money_type() }}) as volume,
        cast({{ read_amount('parsed.thing.volume_24h_fp') }} as {{ money_type() }}) as volume_24hr,
        parsed.opens_at,
        parsed.closes_at,
        parsed.settled_at,

        parsed.first_loaded_at,
        parsed.fetched_at,
        parsed.walk_id,
        parsed.walk_position
    from parsed

),

{{ newest_reading('ticker', [
    'event_ticker', 'title', 'yes_title', 'no_title', 'status', 'result', 'bid', 'ask', 'last_price',
    'settlement_value', 'volume', 'volume_24hr', 'opens_at', 'closes_at', 'settled_at',
]) }}
