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

    (try_cast("'12.5'", 'numeric(38, 9)'), "cast('12.5' as numeric(38, 9))"),
    (try_cast("'n/a'", 'numeric(38, 9)'), "null"),
    (try_cast("''", 'int64'), "null"),
    (try_cast("'42'", 'int64'), "42"),
]) }}
