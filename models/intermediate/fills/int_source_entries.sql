{{
    config(
        materialized='incremental',
        unique_key='entry_id',
        incremental_strategy='merge',
        on_schema_change='fail',
        cluster_by=cluster_by(['group_key']),
        post_hook="{{ remember_loads() }}",
    )
}}

with new_loads as (

    {{ new_loads() }}

),

polymarket_trades as (

    select
        'polymarket_trades' as source,
        'TRADE' as entry_type,
        trades.entry_key,
        trades.group_key,
        trades.transaction_hash,
        trades.wallet_address,
        trades.token_id,
        trades.condition_id,
        cast(null as string) as order_hash,
        cast(null as string) as taker,
        trades.side,
        cast(null as int64) as log_index,
        trades.price,
        trades.shares,
        cast(null as numeric(38, 9)) as usdc_size,
        trades.traded_at,
        trades.fetched_at,
        trades.walk_id,
        trades.walk_position,
        new_loads.committed_at
    from {{ ref('stg_polymarket__trades') }} as trades
    inner join new_loads
        on
            trades.load_id = new_loads.load_id
            and new_loads.venue = 'polymarket'

),

polymarket_activity as (

    select
        'polymarket_activity' as source,
        activity.entry_type,
        activity.entry_key,
        activity.group_key,
        activity.transaction_hash,
        activity.wallet_address,
        activity.token_id,
        activity.condition_id,
        cast(null as string) as order_hash,
        cast(null as string) as taker,
        activity.side,
        cast(null as int64) as log_index,
        activity.price,
        activity.shares,
        activity.usdc_size,
        activity.traded_at,
        activity.fetched_at,
        activity.walk_id,
        activity.walk_position,
        new_loads.committed_at
    from {{ ref('stg_polymarket__activity') }} as activity
    inner join new_loads
        on
            activity.load_id = new_loads.load_id
            and new_loads.venue = 'polymarket'

),

dome_orders as (

    select
        -- Old rows have no log index. Read again with one, a fill must not count twice: two sources of the same fills.
        case when orders.log_index is null then 'dome_orders_unindexed' else 'dome_orders' end as source,
        'TRADE' as entry_type,
        orders.entry_key,
        orders.group_key,
        orders.transaction_hash,
        orders.wallet_address,
        orders.token_id,
        orders.condition_id,
        orders.order_hash,
        orders.taker,
        orders.side,
        orders.log_index,
        orders.price,
        orders.shares,
        cast(null as numeric(38, 9)) as usdc_size,
        orders.traded_at,
        orders.fetched_at,
        orders.walk_id,
        orders.walk_position,
        new_loads.committed_at
    from {{ ref('stg_dome__orders') }} as orders
    inner join new_loads
        on
            orders.load_id = new_loads.load_id
            and new_loads.venue = 'dome'

),

dome_activity as (

    select
        'dome_activity' as source,
        activity.entry_type,
        activity.entry_key,
        cast(null as string) as group_key,
        activity.transaction_hash,
        activity.wallet_address,
        activity.token_id,
        activity.condition_id,
        cast(null as string) as order_hash,
        cast(null as string) as taker,
        cast(null as string) as side,
        activity.log_index,
        cast(null as {{ exact_type() }}) as price,
        activity.shares,
        cast(null as numeric(38, 9)) as usdc_size,
        activity.traded_at,
        activity.fetched_at,
        activity.walk_id,
        activity.walk_position,
        new_loads.committed_at
    from {{ ref('stg_dome__activity') }} as activity
    inner join new_loads
        on
            activity.load_id = new_loads.load_id
            and new_loads.venue = 'dome'

),

all_rows as (

    select * from polymarket_trades
    union all
    select * from polymarket_activity
    union all
    select * from dome_orders
    union all
    select * from dome_activity

),

-- A load that was written twice holds every row twice.
read_once as (

    select * from all_rows
    qualify row_number() over (partition by walk_id, walk_position order by committed_at) = 1

),

-- Equal rows of one walk are different entries; equal rows of two walks are the same entry read twice. Ordered by cash
-- first, so that two equal fills of which one paid a fee keep their places when the venue swaps them.
counted as (

    select
        *,
        case
            when log_index is not null then 1
            else
                row_number() over (
                    partition by walk_id, entry_key, source
                    order by usdc_size, walk_position
                )
        end as occurrence
    from read_once

),

identified as (

    select
        *,
        {{ md5_hex("source || '|' || entry_key || '|' || cast(occurrence as string)") }} as entry_id
    from counted

),

valued as (

    select
        entry_id,
        group_key,
        source,
        entry_type,
        transaction_hash,
        wallet_address,
        token_id,
        condition_id,
        order_hash,
        taker,
        side,
        log_index,
        cast(price as numeric(38, 9)) as price,
        shares,
        cast(round(price * shares, 6) as numeric(38, 9)) as usd_value,
        -- What a taker pays or is paid differs from the value by the fee. The reported price is rounded, so that
        -- differences up to a millionth, or a billionth of a dollar per share, are none.
        case
            when entry_type != 'TRADE' then null
            when
                abs(usdc_size - price * shares)
                <= cast('0.000001' as numeric(38, 9)) + shares * cast('0.000000001' as numeric(38, 9))
                then 0
            when side = 'BUY' then cast(round(usdc_size - price * shares, 6) as numeric(38, 9))
            when side = 'SELL' then cast(round(price * shares - usdc_size, 6) as numeric(38, 9))
        end as fee_usd,
        usdc_size,
        -- Rows that lack what makes a fill are kept, counted by a test, and left out of trades.
        coalesce(
            entry_type = 'TRADE'
            and transaction_hash is not null
            and wallet_address is not null
            and token_id is not null
            and side in ('BUY', 'SELL')
            and price is not null
            and shares is not null
            and traded_at is not null,
            false
        ) as is_fill,
        traded_at,
        committed_at as first_loaded_at,
        fetched_at,
        walk_id
    from identified

),

readings as (

    select * from valued
    {%- if is_incremental() %}
    union all
    select * from {{ this }}
    where entry_id in (select valued.entry_id from valued)
    {%- endif %}

),

-- Whatever the order in which loads are committed, the row read last wins, and the first commit is remembered.
newest as (

    select
        entry_id,
        group_key,
        source,
        entry_type,
        transaction_hash,
        wallet_address,
        token_id,
        condition_id,
        order_hash,
        taker,
        side,
        log_index,
        price,
        shares,
        usd_value,
        fee_usd,
        usdc_size,
        is_fill,
        traded_at,
        min(first_loaded_at) over (partition by entry_id) as first_loaded_at,
        fetched_at,
        walk_id
    from readings
    qualify row_number() over (partition by entry_id order by fetched_at desc, walk_id desc) = 1

)

select * from newest
