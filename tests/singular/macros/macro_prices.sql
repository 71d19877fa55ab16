-- Placeholders are no prices; the middle is exact; New York's clocks change twice a year.
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
]) }}
