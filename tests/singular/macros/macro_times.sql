-- UNIX seconds and raw times become UTC whatever the session's zone is; a day is 24 hours.
{{ differences([
    (epoch_timestamp("'1767571200'"), "timestamp '2026-01-05 00:00:00'"),
    (epoch_timestamp("1767571201"), "timestamp '2026-01-05 00:00:01'"),
    (epoch_timestamp("'0'"), "timestamp '1970-01-01 00:00:00'"),
    (epoch_timestamp("'soon'"), "null"),
    (epoch_timestamp("cast(null as string)"), "null"),
    (epoch_timestamp("'253402300799'"), "timestamp '9999-12-31 23:59:59'"),
    (epoch_timestamp("'253402300800'"), "null"),
    (epoch_timestamp("'9223372036854775807'"), "null"),

    (
        utc_timestamp("cast('2026-01-05 01:00:00+01' as " ~ raw_type('timestamp') ~ ")"),
        "timestamp '2026-01-05 00:00:00'",
    ),
    (utc_timestamp("cast(null as " ~ raw_type('timestamp') ~ ")"), "null"),
    ("cast('7' as " ~ raw_type('int64') ~ ")", "7"),

    (timestamp_minus_days("timestamp '2026-03-30 12:00:00'", 30), "timestamp '2026-02-28 12:00:00'"),
    (timestamp_minus_days("timestamp '2024-03-01 00:00:00'", 365), "timestamp '2023-03-02 00:00:00'"),
    (timestamp_plus_minutes("timestamp '2026-02-28 23:30:00'", 45), "timestamp '2026-03-01 00:15:00'"),
    (timestamp_plus_minutes("timestamp '2026-02-28 23:30:00'", 24 * 60), "timestamp '2026-03-01 23:30:00'"),
    (timestamp_plus_minutes("cast(null as timestamp)", 1), "null"),
    (unix_seconds("timestamp '2026-01-05 00:00:01'"), "1767571201"),
    (unix_seconds("timestamp '2026-01-05 00:00:01.9'"), "1767571201"),
    (unix_seconds("cast(null as timestamp)"), "null"),

    (timestamp_minus_days("timestamp '2026-03-30 12:00:00'", 0), "timestamp '2026-03-30 12:00:00'"),
]) }}
