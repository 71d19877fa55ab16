-- Placeholders are no prices; the middle is exact; US Eastern time is UTC, also in the hour that occurs twice.
{% set near = "timestamp '2026-11-01 05:30:00'" %}
{{ differences([
    (quote("'0.0800'"), "cast('0.08' as " ~ money_type() ~ ")"),
    (quote("'0.0800'", "'444.32'"), "cast('0.08' as " ~ money_type() ~ ")"),
    (quote("'0.0800'", "'0.00'"), "null"),
    (quote("'0.0800'", "cast(null as string)"), "cast('0.08' as " ~ money_type() ~ ")"),
    (quote("'0.0000'"), "null"),
    (quote("'1.0000'"), "null"),
    (quote("'0'"), "null"),
    (quote("'0.001'"), "cast('0.001' as " ~ money_type() ~ ")"),
    (quote("'N/A'"), "null"),
    (quote("cast(null as string)"), "null"),

    (
        mid_price("cast('0.163' as " ~ money_type() ~ ")", "cast('0.195' as " ~ money_type() ~ ")"),
        "cast('0.179' as " ~ money_type() ~ ")",
    ),
    (
        mid_price("cast('0.333333333' as " ~ money_type() ~ ")", "cast('0.333333334' as " ~ money_type() ~ ")"),
        "cast('0.333333334' as " ~ money_type() ~ ")",
    ),
    (mid_price("cast(null as " ~ money_type() ~ ")", "cast('0.5' as " ~ money_type() ~ ")"), "null"),

    (timestamp_plus_seconds("timestamp '2026-02-28 23:59:59'", 1), "timestamp '2026-03-01 00:00:00'"),
    (timestamp_plus_seconds("timestamp '2026-03-01 00:00:00'", -1), "timestamp '2026-02-28 23:59:59'"),
    (eastern_clock("timestamp '2026-01-05 17:00:00'"), "timestamp '2026-01-05 12:00:00'"),
    (eastern_clock("timestamp '2026-07-05 17:00:00'"), "timestamp '2026-07-05 13:00:00'"),

    (eastern_timestamp("'2019-12-24T13:11:03'", near), "timestamp '2019-12-24 18:11:03'"),
    (eastern_timestamp("'2019-11-12T21:23:42.1052091'", near), "timestamp '2019-11-13 02:23:42.105209'"),
    (eastern_timestamp("'2026-07-01T12:00:00'", near), "timestamp '2026-07-01 16:00:00'"),
    (eastern_timestamp("'2026-03-08T01:59:59'", near), "timestamp '2026-03-08 06:59:59'"),
    (eastern_timestamp("'2026-03-08T03:00:00'", near), "timestamp '2026-03-08 07:00:00'"),
    (eastern_timestamp("'2026-03-08T02:30:00'", near), "timestamp '2026-03-08 07:30:00'"),
    (
        eastern_timestamp("'2026-11-01T01:29:40'", "timestamp '2026-11-01 05:30:00'"),
        "timestamp '2026-11-01 05:29:40'",
    ),
    (
        eastern_timestamp("'2026-11-01T01:29:40'", "timestamp '2026-11-01 06:30:00'"),
        "timestamp '2026-11-01 06:29:40'",
    ),
    (eastern_timestamp("'2026-11-01T02:00:00'", near), "timestamp '2026-11-01 07:00:00'"),
    (eastern_timestamp("'N/A'", near), "null"),
    (eastern_timestamp("cast(null as string)", near), "null"),
]) }}
