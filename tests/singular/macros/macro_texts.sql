-- Keys and slugs are the same text on every engine; a value that does not fit its type is null, not an error.
{{ differences([
    (md5_hex("'abc'"), "'900150983cd24fb0d6963f7d28e17f72'"),
    (md5_hex("cast(null as string)"), "null"),

    (fill_key(["'a'", "'bc'"]), md5_hex("'a|bc'")),
    (fill_key(["'ab'", "'c'"]), md5_hex("'ab|c'")),
    (fill_key(["'0xAB'", "cast(null as string)", "'BUY'"]), md5_hex("'0xab||buy'")),

    (slugify("'U.S. Politics'"), "'u-s-politics'"),
    (slugify("'  NBA  Playoffs -- 2026! '"), "'nba-playoffs-2026'"),
    (slugify("'crypto'"), "'crypto'"),
    (slugify("'!?'"), "''"),
    (slugify("cast(null as string)"), "null"),

    (try_cast("'12.5'", money_type()), "cast('12.5' as " ~ money_type() ~ ")"),
    (try_cast("'n/a'", money_type()), "null"),

    (read_integer("'42'"), "42"),
    (read_integer("'-9223372036854775808'"), "-9223372036854775808"),
    (read_integer("'9223372036854775808'"), "null"),
    (read_integer("'1.5'"), "2"),
    (read_integer("'-2.5'"), "-3"),
    (read_integer("'1e3'"), "1000"),
    (read_integer("'0x1f'"), "null"),
    (read_integer("'1_000'"), "null"),
    (read_integer("''"), "null"),
    (read_integer("cast(null as string)"), "null"),
]) }}
