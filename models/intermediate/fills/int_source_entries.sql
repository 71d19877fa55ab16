{{
    config(
        materialized='incremental',
        unique_key=['entry_key', 'occurrence'],
        incremental_strategy='merge',
        on_schema_change='fail',
        partition_by=day_partition('traded_at', 'month'),
        cluster_by=clustering(['entry_type', 'group_key']),
        post_hook="{{ remember_loads() }}",
    )
}}

{%- set day = first_fetch() -%}
{%- set months = time_stretches(new_times(none, day), 'month') if reads_by_partition() else none -%}

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
        cast(null as {{ amount_type() }}) as usdc_size,
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
    where {{ fetched_since('trades.fetched_at', day) }}

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
    where {{ fetched_since('activity.fetched_at', day) }}

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
        cast(null as {{ amount_type() }}) as usdc_size,
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
    where {{ fetched_since('orders.fetched_at', day) }}

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
        cast(null as {{ price_type() }}) as price,
        activity.shares,
        cast(null as {{ amount_type() }}) as usdc_size,
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
    where {{ fetched_since('activity.fetched_at', day) }}

),

new_rows as (

    select * from polymarket_trades
    union all
    select * from polymarket_activity
    union all
    select * from dome_orders
    union all
    select * from dome_activity

),

valued as (

    select
        *,
        round(price * shares, 6) as usd_value
    from new_rows

),

readings as (

    select
        entry_key,
        cast(null as int64) as known_occurrence,
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
        cast(price as {{ money_type() }}) as price,
        cast(shares as {{ money_type() }}) as shares,
        cast(usd_value as {{ money_type() }}) as usd_value,
        -- What a taker pays or is paid differs from the value by the fee. The reported price is rounded, so that
        -- differences up to a millionth, or a billionth of a dollar per share, are none.
        cast(
            case
                when entry_type != 'TRADE' then null
                when
                    abs(usdc_size - usd_value)
                    <= cast('0.000001' as {{ money_type() }})
                    + {{ exact_product('shares', "cast('0.000000001' as " ~ money_type() ~ ")") }}
                    then 0
                when side = 'BUY' then usdc_size - usd_value
                when side = 'SELL' then usd_value - usdc_size
            end as {{ money_type() }}
        ) as fee_usd,
        cast(usdc_size as {{ money_type() }}) as usdc_size,
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
        committed_at as loaded_at,
        fetched_at,
        walk_id,
        walk_position
    from valued
    {%- if is_incremental() %}
    union all
    select * from {{ this }}
    where
        entry_key in (select new_rows.entry_key from new_rows)
        and {{ in_stretches('traded_at', months) }}
    {%- endif %}

),

-- Nearly every row is read once. Windows are for the others only; over all rows they would be most of a build.
repeated_keys as (

    select entry_key
    from readings
    group by entry_key
    having count(*) > 1

),

single_entries as (

    select
        readings.*,
        1 as occurrence,
        readings.loaded_at as first_loaded_at
    from readings
    left join repeated_keys on readings.entry_key = repeated_keys.entry_key
    where repeated_keys.entry_key is null

),

-- Equal rows of one walk are different entries; equal rows of two walks are one entry read twice. A row that a repeated
-- load wrote twice has one place in its walk and so one number. Cash comes first in the order, so that of two equal
-- fills the one that paid a fee keeps its number when the venue swaps them. A log index names one entry for good.
numbered as (

    select
        readings.*,
        case
            when readings.log_index is not null then 1
            when readings.known_occurrence is not null then readings.known_occurrence
            else
                dense_rank() over (
                    partition by
                        readings.entry_key, readings.walk_id,
                        case when readings.known_occurrence is null then 0 else 1 end
                    order by readings.usdc_size, readings.walk_position
                )
        end as occurrence
    from readings
    inner join repeated_keys on readings.entry_key = repeated_keys.entry_key

),

-- Whatever the order in which loads are committed, the row read last wins, and the first commit is remembered.
repeated_entries as (

    select
        *,
        min(loaded_at) over (partition by entry_key, occurrence) as first_loaded_at
    from numbered
    qualify
        row_number() over (
            partition by entry_key, occurrence
            order by fetched_at desc, walk_id desc, walk_position desc
        ) = 1

),

all_entries as (

    select * from single_entries
    union all
    select * from repeated_entries

),

entries as (

    select
        entry_key,
        cast(occurrence as int64) as occurrence,
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
        first_loaded_at,
        fetched_at,
        walk_id,
        walk_position
    from all_entries

)

select * from entries
