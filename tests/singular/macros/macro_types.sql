-- Money and prices keep every digit that the venues send.
{{ differences([
    ("cast('123456789012.654321' as " ~ amount_type() ~ ")", "cast('123456789012.654321' as numeric(38, 9))"),
    ("cast('0.57352941176470588' as " ~ price_type() ~ ")", "cast('0.57352941176470588' as " ~ exact_type() ~ ")"),
    ("cast('1' as " ~ price_type() ~ ")", "1"),
    ("cast(cast('0.573529411764705882' as " ~ exact_type() ~ ") as string)", "'0.573529411764705882'"),
    ("cast('0.1' as " ~ double_type() ~ ") + cast('0.2' as " ~ double_type() ~ ")", "0.30000000000000004e0"),
]) }}
