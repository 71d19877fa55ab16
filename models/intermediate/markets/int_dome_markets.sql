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

    select * from {{ ref('stg_dome__walks') }}
    where
        resource = 'markets'
        and {{ fetched_since('ended_at', day) }}

),

new_rows as (

    select
        markets.condition_id,
        markets.slug,
        markets.event_slug,
        markets.payload,
        markets.fetched_at,
        markets.walk_id,
        markets.walk_position,
        min(new_loads.committed_at) over (partition by markets.condition_id) as first_loaded_at
    from {{ ref('stg_dome__markets') }} as markets
    inner join new_loads
        on
            markets.load_id = new_loads.load_id
            and new_loads.venue = 'dome'
    where
        markets.condition_id != ''
        and {{ fetched_since('markets.fetched_at', day) }}
    qualify
        row_number() over (
            partition by markets.condition_id
            order by markets.fetched_at desc, markets.walk_id desc, markets.walk_position desc
        ) = 1

),

parsed as (

    select
        *,
        {{ json_fields('payload', [
            'title', 'tags', 'side_a', 'side_b', 'winning_side', 'status', 'volume_total', 'start_time', 'end_time',
            'completed_time', 'close_time',
        ]) }} as market
    from new_rows

),

sides as (

    select
        *,
        {{ json_fields('parsed.market.side_a', ['id', 'label']) }} as side_a,
        {{ json_fields('parsed.market.side_b', ['id', 'label']) }} as side_b,
        -- An object in newer rows, a bare label in older ones.
        case
            when starts_with(parsed.market.winning_side, '{')
                then {{ json_fields('parsed.market.winning_side', ['id', 'label']) }}
        end as winner
    from parsed

),

renamed as (

    select
        -- ids
        sides.condition_id,
        sides.event_slug,
        sides.slug,

        -- strings
        sides.market.title,
        {{ text_array(["coalesce(sides.side_a.label, '')", "coalesce(sides.side_b.label, '')"]) }} as outcomes,
        {{ text_array(["coalesce(sides.side_a.id, '')", "coalesce(sides.side_b.id, '')"]) }} as token_ids,
        sides.winner.id as winning_token_id,
        case
            when starts_with(sides.market.winning_side, '{') then sides.winner.label
            else nullif(sides.market.winning_side, '')
        end as winning_label,
        {{ json_texts('sides.market.tags') }} as tags,

        -- numerics
        {{ try_cast('sides.market.volume_total', money_type()) }} as volume,

        -- booleans
        coalesce(lower(sides.market.status) = 'closed', false) as is_closed,

        -- timestamps
        {{ epoch_timestamp('sides.market.start_time') }} as start_date,
        {{ epoch_timestamp('sides.market.end_time') }} as end_date,
        coalesce(
            {{ epoch_timestamp('sides.market.completed_time') }},
            {{ epoch_timestamp('sides.market.close_time') }},
            {{ epoch_timestamp('sides.market.end_time') }}
        ) as closed_at,

        -- load metadata
        coalesce(walks.venue_time, sides.fetched_at) as observed_at,
        sides.first_loaded_at,
        sides.fetched_at,
        sides.walk_id,
        sides.walk_position
    from sides
    left join walks on sides.walk_id = walks.walk_id

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
        event_slug,
        slug,
        title,
        outcomes,
        token_ids,
        winning_token_id,
        winning_label,
        tags,
        volume,
        is_closed,
        start_date,
        end_date,
        closed_at,
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
