-- Partitions and clusters are for BigQuery; DuckDB takes them for errors and must get none. The target's type decides
-- what is expected, because that difference is all there is to test.
{%- set is_bigquery = target.type == 'bigquery' -%}
{%- set partition = day_partition('traded_at') -%}
{{ differences([
    ("'" ~ (clustering(['a', 'b']) or []) | join(' ') ~ "'", "'a b'" if is_bigquery else "''"),
    ("'" ~ (partition or {}).get('field', '') ~ "'", "'traded_at'" if is_bigquery else "''"),
    ("'" ~ (partition or {}).get('granularity', '') ~ "'", "'day'" if is_bigquery else "''"),
    ("'" ~ (partition or {}).get('data_type', '') ~ "'", "'timestamp'" if is_bigquery else "''"),
]) }}
