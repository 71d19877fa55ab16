-- Arrays count from 0, an array that is not there has no elements, and nothing beyond the end is an error.
{%- set two = text_array(["'b'", "'a'"]) -%}
{%- set repeated = text_array(["'b'", "'a'", "'b'"]) -%}
{%- set missing = json_texts('(select cast(null as string))') -%}
{{ differences([
    (array_element(two, 0), "'b'"),
    (array_element(two, 1), "'a'"),
    (array_element(two, 2), "null"),
    (array_element(missing, 0), "null"),

    (array_size(two), "2"),
    (array_size(json_texts("'[]'")), "0"),
    (array_size(missing), "0"),

    (join_distinct(repeated), "'a,b'"),
    (join_distinct(json_texts("'[]'")), "''"),
    (join_distinct(missing), "''"),
]) }}
