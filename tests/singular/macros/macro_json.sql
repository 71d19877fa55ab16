-- A field is its text, whether the venue wrote it as a string, a number or a flag; null and missing are the same.
{%- set object = "'" ~ [
    '{"slug": "a-b"',
    '"volume": "12.340000000000000001"',
    '"bestBid": 0.5',
    '"closed": true',
    '"category": null',
    '"text": ""',
    '"feeSchedule": {"rate": 0.05}',
    '"outcomes": "[10, 20]"}',
] | join(', ') ~ "'" -%}
{%- set keys = ['slug', 'volume', 'bestBid', 'closed', 'category', 'text', 'feeSchedule', 'outcomes', 'absent'] -%}
{%- set fields = '(' ~ json_fields(object, keys) ~ ')' -%}
{%- set nothing = '(' ~ json_fields('cast(null as string)', keys) ~ ')' -%}
{%- set tags = "'[{\"id\": 1, \"slug\": \"x\"}, {\"id\": 2}, {\"slug\": \"y\"}]'" -%}
{{ differences([
    (fields ~ ".slug", "'a-b'"),
    (fields ~ ".volume", "'12.340000000000000001'"),
    (fields ~ ".bestbid", "'0.5'"),
    (fields ~ ".closed", "'true'"),
    (fields ~ ".category", "null"),
    (fields ~ ".text", "''"),
    (fields ~ ".feeschedule", "'{\"rate\":0.05}'"),
    (fields ~ ".absent", "null"),
    (nothing ~ ".slug", "null"),
    (array_element(json_texts(fields ~ ".outcomes"), 1), "'20'"),

    (array_element(json_texts("'[\"0.12345678901234567\", \"1\"]'"), 0), "'0.12345678901234567'"),
    (array_size(json_texts("'[\"a\", null, \"b\"]'")), "2"),
    (array_size(json_texts(tags, 'slug')), "2"),
    (array_element(json_texts(tags, 'slug'), 1), "'y'"),
    (array_element(json_texts(tags, 'id'), 0), "'1'"),
    (array_element(json_texts("'{\"a\": 1}'"), 0), "null"),
    (array_element(json_texts("'no json'"), 0), "null"),
]) }}
