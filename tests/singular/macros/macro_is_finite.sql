{{ differences([
    (is_finite("cast('0' as " ~ double_type() ~ ")"), "true"),
    (is_finite("cast('-1.7e308' as " ~ double_type() ~ ")"), "true"),
    (is_finite("cast('inf' as " ~ double_type() ~ ")"), "false"),
    (is_finite("cast('-inf' as " ~ double_type() ~ ")"), "false"),
    (is_finite("cast('nan' as " ~ double_type() ~ ")"), "false"),
    (is_finite("cast(null as " ~ double_type() ~ ")"), "null"),
]) }}
