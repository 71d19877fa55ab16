{%- set levels = "'[{\"price\": 7937, \"quantity\": 2323958}, {\"price\": 8772, \"quantity\": 4489088}]'" -%}
{%- set ends = "'[{\"price\": 1, \"quantity\": 2147483646}, {\"price\": 300, \"quantity\": 0}]'" -%}
{%- set odds = "'[{\"price\": 6, \"size\": 2.5}, {\"price\": 6.4, \"size\": 1}]'" -%}
{{ differences([
    (best_level(levels, 'min', 'quantity', '2147483646'), "cast(7937 as " ~ money_type() ~ ")"),
    (best_level(levels, 'max', 'quantity', '2147483646'), "cast(8772 as " ~ money_type() ~ ")"),
    (best_level(ends, 'max', 'quantity', '2147483646'), "null"),
    (best_level("'[]'", 'max', 'quantity'), "null"),
    (best_level("cast(null as string)", 'max', 'quantity'), "null"),
    (best_level(odds, 'max', 'size'), "cast('6.4' as " ~ money_type() ~ ")"),
    (best_level(odds, 'min', 'size'), "cast(6 as " ~ money_type() ~ ")"),

    (exact_ratio('1', "cast('8.4' as " ~ money_type() ~ ")"), "cast('0.119047619' as " ~ money_type() ~ ")"),
    (exact_ratio('1', "cast('3' as " ~ money_type() ~ ")"), "cast('0.333333333' as " ~ money_type() ~ ")"),
    (exact_ratio('1', "cast('6' as " ~ money_type() ~ ")"), "cast('0.166666667' as " ~ money_type() ~ ")"),
    (exact_ratio("cast('23.45' as " ~ money_type() ~ ")", '100'), "cast('0.2345' as " ~ money_type() ~ ")"),
    (exact_ratio('1', '0'), "null"),
    (exact_ratio("cast(null as " ~ money_type() ~ ")", '100'), "null"),

    (array_element(json_elements("'[{\"a\":1},{\"a\":2}]'"), 1), "'{\"a\":2}'"),
    (array_size(json_elements("'[]'")), "0"),
    (array_element(json_elements("'{\"a\":1}'"), 0), "null"),

    (betfair_contract_id("'1.23'", "'77'", "'0.0'"), "'betfair:1.23:77'"),
    (betfair_contract_id("'1.23'", "'77'", "'-1.5'"), "'betfair:1.23:77:-150'"),
    (betfair_contract_id("'1.23'", "'77'", "cast(null as string)"), "'betfair:1.23:77'"),
]) }}
