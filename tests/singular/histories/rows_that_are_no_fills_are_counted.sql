{{ config(severity='warn', fail_calc='coalesce(sum(row_count), 0)') }}

-- Rows of fills that lack what makes one (transaction, wallet, token, side, price, size, time) stay out of trades. None
-- was ever seen; should they come, the warning says how many, and nothing else is held up.
with entries as (

    select * from {{ ref('int_source_entries') }}
    where
        entry_type = 'TRADE'
        and not is_fill

),

counted as (

    select
        source,
        count(*) as row_count
    from entries
    group by source

)

select * from counted
