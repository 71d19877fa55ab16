-- US Eastern time is UTC, also in the hour that occurs twice, and in the one that does not occur.
with cases as (

    select
        '2019-12-24T13:11:03' as shown,
        timestamp '2026-11-01 05:30:00' as near,
        timestamp '2019-12-24 18:11:03' as expected
    union all
    select
        '2019-11-12T21:23:42.1052091' as shown,
        timestamp '2026-11-01 05:30:00' as near,
        timestamp '2019-11-13 02:23:42.105209' as expected
    union all
    select
        '2026-07-01T12:00:00' as shown,
        timestamp '2026-11-01 05:30:00' as near,
        timestamp '2026-07-01 16:00:00' as expected
    union all
    select
        '2026-03-08T01:59:59' as shown,
        timestamp '2026-11-01 05:30:00' as near,
        timestamp '2026-03-08 06:59:59' as expected
    union all
    select
        '2026-03-08T03:00:00' as shown,
        timestamp '2026-11-01 05:30:00' as near,
        timestamp '2026-03-08 07:00:00' as expected
    union all
    select
        '2026-03-08T02:30:00' as shown,
        timestamp '2026-11-01 05:30:00' as near,
        timestamp '2026-03-08 07:30:00' as expected
    union all
    select
        '2026-11-01T01:29:40' as shown,
        timestamp '2026-11-01 05:30:00' as near,
        timestamp '2026-11-01 05:29:40' as expected
    union all
    select
        '2026-11-01T01:29:40' as shown,
        timestamp '2026-11-01 06:30:00' as near,
        timestamp '2026-11-01 06:29:40' as expected
    union all
    select
        '2026-11-01T02:00:00' as shown,
        timestamp '2026-11-01 05:30:00' as near,
        timestamp '2026-11-01 07:00:00' as expected
    union all
    select
        'N/A' as shown,
        timestamp '2026-11-01 05:30:00' as near,
        cast(null as timestamp) as expected
    union all
    select
        cast(null as string) as shown,
        timestamp '2026-11-01 05:30:00' as near,
        cast(null as timestamp) as expected

),

read as (

    select
        shown,
        near,
        expected,
        {{ eastern_timestamp('shown', 'near') }} as actual
    from cases

)

select * from read
where actual is distinct from expected
