{{ config(materialized='view') }}

with contracts as (

    select * from {{ ref('stg_predictit__contracts') }}
    where contract_number != ''

),

prices as (

    select
        concat('predictit:', market_number) as market_id,
        concat('predictit:', contract_number) as contract_id,
        'predictit_all' as source,
        'observed' as fidelity,
        fetched_at as snapshot_time,
        venue_time,
        bid,
        ask,
        last_price,
        cast(null as {{ money_type() }}) as volume,
        cast(null as {{ money_type() }}) as period_volume,
        {{ volume_unit('predictit') }} as volume_unit,
        case when status = 'Open' then 'open' else 'suspended' end as market_status,
        fetched_at,
        walk_id,
        walk_position,
        load_id
    from contracts

)

select * from prices
