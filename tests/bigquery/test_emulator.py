"""The emulator behaves as BigQuery documents it, where the tools that talk to it depend on that."""

from __future__ import annotations

import gzip
import io
import json
import urllib.request
from collections.abc import Iterator
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
