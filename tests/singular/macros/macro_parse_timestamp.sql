-- Whatever form a venue gives a time in, it becomes the same moment in UTC; what is no time becomes null.
with cases as (
    {%- for text, expected in [
        ("'2026-05-17T06:03:56.46115Z'", "'2026-05-17 06:03:56.46115'"),
        ("'2026-05-17T06:03:56Z'", "'2026-05-17 06:03:56'"),
        ("'2026-04-05 19:37:33+00'", "'2026-04-05 19:37:33'"),
        ("'2026-04-05 19:37:33+02:00'", "'2026-04-05 17:37:33'"),
        ("'2026-04-05T19:37:33-05:30'", "'2026-04-06 01:07:33'"),
        ("'2025-08-16 20:00:00.000'", "'2025-08-16 20:00:00'"),
        ("'2025-08-16T20:00:00.123456789Z'", "'2025-08-16 20:00:00.123456'"),
        ("'2026-12-31'", "'2026-12-31 00:00:00'"),
        ("''", "null"),
        ("'TBD'", "null"),
        ("null", "null"),
    ] %}

    select
        cast({{ text }} as string) as text,
        cast({{ expected }} as timestamp) as expected
    {{- "\n    union all" if not loop.last }}
    {%- endfor %}

),

parsed as (

    select
        *,
        {{ parse_timestamp('text') }} as actual
    from cases

),

differing as (

    select * from parsed
    where actual is distinct from expected

)

select * from differing
