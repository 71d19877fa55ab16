-- Money and prices keep every digit that the venues send.
{{ differences([
    ("cast('123456789012.654321' as " ~ amount_type() ~ ")", "cast('123456789012.654321' as " ~ money_type() ~ ")"),
    ("cast('0.57352941176470588' as " ~ price_type() ~ ")", "cast('0.57352941176470588' as " ~ exact_type() ~ ")"),
    ("cast('1' as " ~ price_type() ~ ")", "1"),
    ("cast(cast('0.573529411764705882' as " ~ exact_type() ~ ") as string)", "'0.573529411764705882'"),

    (read_price("'0.57352941176470588'"), "cast('0.57352941176470588' as " ~ exact_type() ~ ")"),
    (read_price("'0.123456789012345675'"), "cast('0.12345678901234568' as " ~ exact_type() ~ ")"),
    (read_price("'9.4e-237'"), "0"),
    (read_price("'9.3e-05'"), "cast('0.000093' as " ~ exact_type() ~ ")"),
    (read_price("'10'"), "null"),
    (read_price("'n/a'"), "null"),
    (read_price("'0.1_5'"), "null"),
    (read_amount("'123456789012.6543215'"), "cast('123456789012.654322' as " ~ money_type() ~ ")"),
    (read_amount("'-0.0000005'"), "cast('-0.000001' as " ~ money_type() ~ ")"),
    (read_amount("'5.00E-10'"), "0"),
    (read_amount("'5e-7'"), "cast('0.000001' as " ~ money_type() ~ ")"),
    (read_amount("'1000000000000'"), "null"),
    (read_amount("''"), "null"),
    (read_millionths("'1234567'"), "cast('1.234567' as " ~ money_type() ~ ")"),
    (read_millionths("'1000000000000000000'"), "null"),
    (read_millionths("'n/a'"), "null"),

    (
        exact_product(
            "cast('12345.123456789' as " ~ money_type() ~ ")", "cast('0.000000001' as " ~ money_type() ~ ")",
        ),
        "cast('0.000012345123456789' as " ~ exact_type() ~ ")",
    ),
    (
        exact_product(
            "cast('9000000000.1' as " ~ money_type() ~ ")", "cast('9000000000.1' as " ~ money_type() ~ ")",
        ),
        "cast('81000000001800000000.01' as " ~ exact_type() ~ ")",
    ),

    ("cast('0.1' as " ~ double_type() ~ ") + cast('0.2' as " ~ double_type() ~ ")", "0.30000000000000004e0"),
]) }}
