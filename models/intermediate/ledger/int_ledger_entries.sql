{{ config(cluster_by=clustering(['wallet_address'])) }}

with source_entries as (

    select * from {{ ref('int_source_entries') }}
    where
        -- Not a trade; as stretches of the clustering column, of which BigQuery passes over the other.
        (entry_type < 'TRADE' or entry_type > 'TRADE')
        and wallet_address is not null
        and traded_at is not null

),

-- Of two sources that tell of the same thing one counts, the one that tells more; on a tie the venue itself.
sources as (

    select
        transaction_hash,
        wallet_address,
        entry_type,
        coalesce(condition_id, '') as condition_id,
        source
    from source_entries
    group by transaction_hash, wallet_address, entry_type, coalesce(condition_id, ''), source
    qualify
        row_number() over (
            partition by transaction_hash, wallet_address, entry_type, coalesce(condition_id, '')
            order by count(*) desc, source desc
        ) = 1

),

entries as (

    select
        entries.entry_key || ':' || cast(entries.occurrence as string) as entry_id,
        entries.source,
        entries.entry_type,
        entries.wallet_address,
        entries.condition_id,
        entries.transaction_hash,
        -- IN or OUT for a tip.
        entries.side as direction,
        entries.shares,
        -- Dome tells shares alone: a set is split and merged, and a winner redeemed, at a dollar.
        coalesce(entries.usdc_size, entries.shares) as usd_value,
        coalesce(
            entries.entry_type in ('REWARD', 'MAKER_REBATE', 'TAKER_REBATE', 'REFERRAL_REWARD', 'YIELD'),
            false
        ) as is_income,
        entries.traded_at as timestamp
    from source_entries as entries
    inner join sources
        on
            entries.transaction_hash = sources.transaction_hash
            and entries.wallet_address = sources.wallet_address
            and entries.entry_type = sources.entry_type
            and coalesce(entries.condition_id, '') = sources.condition_id
            and entries.source = sources.source

)

select * from entries
