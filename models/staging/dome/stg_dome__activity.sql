with activity as (

    select * from {{ raw_table('raw_dome', 'activity') }}

),

loads as (

    select * from {{ ref('stg_dome__loads') }}

),

renamed as (

    select
        -- ids
        lower(activity.tx_hash) as transaction_hash,
        lower(activity.user_address) as wallet_address,
        nullif(activity.token_id, '') as token_id,
        nullif(lower(activity.condition_id), '') as condition_id,
        case
            when activity.log_index is not null
                then
                    {{ fill_key([
                        "'dome_activity'", 'activity.tx_hash', 'activity.log_index', 'activity.user_address',
                    ]) }}
            else
                {{ fill_key([
                    "'dome_activity_unindexed'", 'activity.tx_hash', 'activity.user_address', 'activity.condition_id',
                    'activity.side', 'activity.shares', 'activity.timestamp',
                ]) }}
        end as entry_key,

        -- strings
        upper(activity.side) as entry_type,
        activity.payload,

        -- numerics
        {{ read_integer('activity.log_index') }} as log_index,
        coalesce(
            {{ read_millionths('activity.shares') }},
            {{ read_amount('activity.shares_normalized') }}
        ) as shares,

        -- timestamps
        {{ epoch_timestamp('activity.timestamp') }} as traded_at,

        -- load metadata
        {{ utc_timestamp('activity.fetched_at') }} as fetched_at,
        activity.walk_id,
        activity.walk_position,
        activity._dlt_load_id as load_id
    from activity
    inner join loads on activity._dlt_load_id = loads.load_id

)

select * from renamed
