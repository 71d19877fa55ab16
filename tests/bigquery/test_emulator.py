"""The emulator behaves as BigQuery documents it, where the tools that talk to it depend on that."""

from __future__ import annotations

import gzip
import io
import json
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Conflict, Forbidden, GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from tests.bigquery.emulator.running import PROJECT, Emulator

DATASET = "testing"


@pytest.fixture(scope="module")
def client(emulator: Emulator) -> Iterator[bigquery.Client]:
    with bigquery.Client(PROJECT, AnonymousCredentials(), client_options={"api_endpoint": emulator.url}) as connected:
        connected.create_dataset(DATASET)
        yield connected


def rows(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in client.query_and_wait(sql)]


def load_lines(client: bigquery.Client, table: str, lines: str, **options: Any) -> bigquery.LoadJob:
    config = bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", **options)
    return client.load_table_from_file(io.BytesIO(lines.encode()), f"{PROJECT}.{DATASET}.{table}", job_config=config)


def test_a_created_table_is_the_destination_of_its_job_which_returns_no_rows(client: bigquery.Client) -> None:
    job = client.query(f"create or replace table {DATASET}.created as select 1 as a union all select 2")
    assert list(job.result()) == []
    assert client.get_job(job.job_id).destination.table_id == "created"
    assert client.get_table(f"{DATASET}.created").num_rows == 2


def test_variables_are_set_from_the_columns_of_a_struct(client: bigquery.Client) -> None:
    script = """
        declare smallest, largest int64; declare days array<date>;
        set (smallest, largest) = (select as struct min(n), max(n) from unnest([3, 1, 2]) as n);
        set (days) = (select as struct array_agg(date '2026-01-02'));
        select smallest, largest, days;
    """
    [(smallest, largest, days)] = rows(client, script)
    assert (smallest, largest, [day.isoformat() for day in days]) == (1, 3, ["2026-01-02"])


def test_compressed_uploads_are_read(client: bigquery.Client) -> None:
    config = bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", autodetect=True)
    body = io.BytesIO(gzip.compress(b'{"a": 1}\n{"a": 2}\n'))
    client.load_table_from_file(body, f"{PROJECT}.{DATASET}.compressed", job_config=config).result()
    assert rows(client, f"select sum(a) from {DATASET}.compressed") == [(3,)]


def test_a_session_ends_with_the_script_that_aborts_it(client: bigquery.Client) -> None:
    begun = client.query("begin transaction", job_config=bigquery.QueryJobConfig(create_session=True))
    begun.result()
    session = bigquery.QueryJobConfig(
        connection_properties=[bigquery.ConnectionProperty("session_id", begun.session_info.session_id)]
    )
    client.query(f"create table {DATASET}.in_session as select 1 as a", job_config=session).result()
    client.query("commit transaction; call bq.abort_session()", job_config=session).result()
    assert rows(client, f"select * from {DATASET}.in_session") == [(1,)]
    with pytest.raises(BadRequest, match="session"):
        client.query("select 1", job_config=session).result()


def test_a_lone_schema_update_option_is_a_list_of_one(client: bigquery.Client) -> None:
    client.query(f"create table {DATASET}.grows (a int64)").result()
    config = bigquery.LoadJobConfig(
        source_format="NEWLINE_DELIMITED_JSON", autodetect=True, write_disposition="WRITE_APPEND"
    )
    config._properties["load"]["schemaUpdateOptions"] = "ALLOW_FIELD_ADDITION"
    target = f"{PROJECT}.{DATASET}.grows"
    client.load_table_from_file(io.BytesIO(b'{"a": 1, "b": 2}\n'), target, job_config=config).result()
    assert [field.name for field in client.get_table(target).schema] == ["a", "b"]


def test_a_partition_is_loaded_replaced_and_copied_by_its_name(client: bigquery.Client) -> None:
    create = "create table {dataset}.{table} (moment timestamp, n int64) partition by date(moment)"
    for table in ("days", "copied"):
        client.query(create.format(dataset=DATASET, table=table)).result()
    client.query(f"insert into {DATASET}.days values (timestamp '2026-01-01 10:00:00+00', 1)").result()
    first = '{"moment": "2026-01-02T01:00:00Z", "n": 2}\n'
    load_lines(client, "days$20260102", first, write_disposition="WRITE_APPEND").result()
    again = '{"moment": "2026-01-02T02:00:00Z", "n": 3}\n'
    load_lines(client, "days$20260102", again, write_disposition="WRITE_TRUNCATE").result()
    assert rows(client, f"select n from {DATASET}.days order by n") == [(1,), (3,)]
    with pytest.raises(BadRequest, match="different partitions"):
        load_lines(client, "days$20260103", again, write_disposition="WRITE_APPEND").result()
    client.copy_table(
        f"{PROJECT}.{DATASET}.days$20260102",
        f"{PROJECT}.{DATASET}.copied$20260102",
        job_config=bigquery.CopyJobConfig(write_disposition="WRITE_TRUNCATE"),
    ).result()
    assert rows(client, f"select n from {DATASET}.copied") == [(3,)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("numeric '10' / numeric '3'", "3.333333333"),
        ("numeric '20' / numeric '3'", "6.666666667"),
        ("numeric '-20' / numeric '3'", "-6.666666667"),
        ("numeric '9007199254.740993' / numeric '1'", "9007199254.740993"),
        ("numeric '0.000000001' * numeric '0.5'", "0.000000001"),
        ("numeric '123456789012.123456789' * numeric '100000000'", "12345678901212345678.9"),
        ("cast('9000000000.1' as bignumeric) * cast('9000000000.1' as numeric)", "81000000001800000000.01"),
        ("cast('1' as bignumeric) / 3", "0.333333333333333333"),
        ("sum(a * b) from (select numeric '0.1' as a, numeric '3' as b)", "0.3"),
        ("a / b from (select * from (select numeric '10' as a, numeric '3' as b))", "3.333333333"),
        ("c / 3 from (select *, a * b as c from (select numeric '5' as a, numeric '2' as b))", "3.333333333"),
    ],
)
def test_decimals_are_exact(client: bigquery.Client, expression: str, expected: str) -> None:
    assert rows(client, f"select {expression}") == [(Decimal(expected),)]


def test_dividing_a_decimal_by_zero_is_an_error(client: bigquery.Client) -> None:
    with pytest.raises(BadRequest, match="division by zero"):
        rows(client, "select a / b from (select numeric '1' as a, numeric '0' as b)")


@pytest.mark.parametrize("text", ["no json", '{"a": ', ""])
def test_text_that_is_no_json_has_no_value(client: bigquery.Client, text: str) -> None:
    functions = ("json_value", "json_query", "json_extract_scalar")
    columns = ", ".join(f"{function}(text, '$.a')" for function in functions)
    assert rows(client, f"select {columns} from (select '{text}' as text)") == [(None, None, None)]


def test_an_underscore_is_no_part_of_a_number(client: bigquery.Client) -> None:
    columns = "safe_cast(text as int64), safe_cast(text as numeric), safe_cast(text as float64)"
    query = f"select {columns} from unnest(['1_000', '1000']) as text with offset as place order by place"
    assert rows(client, query) == [(None, None, None), (1000, Decimal(1000), 1000.0)]


def test_safe_offsets_count_from_0_whatever_the_index_is(client: bigquery.Client) -> None:
    query = """
        select items[safe_offset(place.at)], items[safe_offset(0)], items[safe_offset(9)], items[safe_ordinal(2)]
        from (select ['a', 'b'] as items)
        cross join unnest(array(select as struct at from unnest([0, 1, 2, -1]) as at)) as place
        order by place.at
    """
    assert rows(client, query) == [(x, "a", None, "b") for x in (None, "a", "b", None)]


def test_an_unnested_struct_hides_a_column_of_its_name(client: bigquery.Client) -> None:
    query = """
        select items.element, items.position, boxes.items[offset(1)]
        from (select ['a', 'b'] as items) as boxes
        cross join unnest(
            array(select as struct element, position from unnest(boxes.items) as element with offset as position)
        ) as items
        order by items.position
    """
    assert rows(client, query) == [("a", 0, "b"), ("b", 1, "b")]


def test_what_is_found_in_the_text_of_a_structs_field_is_text(client: bigquery.Client) -> None:
    fields = '(select struct(\'{"label": "Down"}\' as side) as parsed)'
    query = f"select coalesce(json_value(parsed.side, '$.label'), json_query(parsed.side, '$.id')) from {fields}"
    assert rows(client, query) == [("Down",)]


@pytest.mark.parametrize(
    ("text", "path", "elements"),
    [
        ('{"a": 1}', "$", None),
        ("no json", "$", None),
        ('[1, "x"]', "$", ["1", '"x"']),
        ('{"a": [3]}', "$.a", ["3"]),
        ('{"a": {"b": 1}}', "$.a", None),
        ("[]", "$", []),
    ],
)
def test_only_json_arrays_have_elements(
    client: bigquery.Client, text: str, path: str, elements: list[str] | None
) -> None:
    [(is_null, found)] = rows(
        client, f"select json_query_array('{text}', '{path}') is null, json_query_array('{text}', '{path}')"
    )
    assert is_null is (elements is None)
    assert found == (elements or [])


def test_a_finished_upload_that_is_put_again_is_answered_again_and_loads_once(
    emulator: Emulator, client: bigquery.Client
) -> None:
    client.query(f"create table {DATASET}.uploaded (a int64)").result()
    load = {
        "destinationTable": {"projectId": PROJECT, "datasetId": DATASET, "tableId": "uploaded"},
        "sourceFormat": "NEWLINE_DELIMITED_JSON",
        "writeDisposition": "WRITE_APPEND",
    }
    start = urllib.request.Request(
        f"{emulator.url}/upload/bigquery/v2/projects/{PROJECT}/jobs?uploadType=resumable",
        data=json.dumps({"configuration": {"load": load}}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(start) as started:
        target = started.headers["Location"]
    ids = []
    for _ in range(2):
        put = urllib.request.Request(target, data=b'{"a": 1}\n', method="PUT")
        with urllib.request.urlopen(put) as answer:
            ids.append(json.loads(answer.read())["jobReference"]["jobId"])
    assert ids[0] == ids[1]
    client.get_job(ids[0]).result()
    assert rows(client, f"select * from {DATASET}.uploaded") == [(1,)]


def test_a_job_id_is_taken_once(client: bigquery.Client) -> None:
    target = f"{PROJECT}.{DATASET}.once"
    config = bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", autodetect=True)
    client.load_table_from_file(io.BytesIO(b'{"a": 1}\n'), target, job_id="taken", job_config=config).result()
    with pytest.raises(Conflict):
        client.load_table_from_file(io.BytesIO(b'{"a": 1}\n'), target, job_id="taken", job_config=config)
    assert rows(client, f"select * from {DATASET}.once") == [(1,)]


def test_an_injected_fault_has_the_form_of_bigquerys(emulator: Emulator, client: bigquery.Client) -> None:
    emulator.fail(
        {"match": "GET .*/datasets", "status": 403, "reason": "accessDenied", "message": "Access Denied: no", "skip": 1}
    )
    try:
        list(client.list_datasets())
        with pytest.raises(Forbidden, match="Access Denied: no") as raised:
            list(client.list_datasets())
        assert raised.value.errors[0]["reason"] == "accessDenied"
        list(client.list_datasets())
    finally:
        emulator.fail()


def test_a_lost_answer_belongs_to_a_request_that_was_carried_out(emulator: Emulator, client: bigquery.Client) -> None:
    emulator.fail({"match": "POST .*/datasets", "status": 400, "reason": "invalid", "message": "lost", "after": True})
    try:
        with pytest.raises(GoogleAPICallError, match="lost"):
            client.create_dataset("made_all_the_same")
    finally:
        emulator.fail()
    assert "made_all_the_same" in [dataset.dataset_id for dataset in client.list_datasets()]


def test_killed_it_starts_again_with_its_tables_and_jobs_and_slow_jobs_are_polled(
    needs_emulator: None, tmp_path: Path
) -> None:
    emulator = Emulator(tmp_path / "data").start()
    try:
        emulator.query("create schema kept")
        emulator.query("create table kept.numbers as select 7 as n")
        jobs = len(emulator.jobs())
        emulator.kill()
        emulator.job_delay_ms = 400
        emulator.start()
        assert emulator.query("select n from kept.numbers") == [("7",)]
        assert len(emulator.jobs()) == jobs + 1
        path = f"/bigquery/v2/projects/{PROJECT}/jobs"
        job = emulator.request("POST", path, {"configuration": {"query": {"query": "select 1"}}})
        assert job["status"]["state"] != "DONE"
    finally:
        emulator.destroy()
