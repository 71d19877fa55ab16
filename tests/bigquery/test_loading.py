"""Loading into BigQuery: each file once whatever answers get lost, laid-out tables, and one sentence per mistake."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from google.api_core.exceptions import Conflict

from extract.bigquery import RawTablesClient, layout
from tests.bigquery.emulator.running import PROJECT, Emulator
from tests.bigquery.warehouse import BigQueryWarehouse
from tests.replica.server import RunningReplica, serve
from tests.replica.world import World, build_world
from tests.warehouse.conftest import checked

DATASET = "ours_raw_polymarket"
RAW = ("trades", "activity", "markets", "events", "walks", "runs")


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(seed=41, wallets=6, markets=20, fills=300)


@pytest.fixture(scope="module")
def replica(world: World) -> Iterator[RunningReplica]:
    with serve(world) as running:
        yield running


@pytest.fixture(scope="module")
def loaded(
    emulator: Emulator, world: World, replica: RunningReplica, tmp_path_factory: pytest.TempPathFactory
) -> BigQueryWarehouse:
    """A warehouse that was loaded once, with names and labels of its own."""
    warehouse = BigQueryWarehouse.on(emulator, tmp_path_factory.mktemp("loaded"), replica)
    warehouse.project.environment["DESTINATION__BIGQUERY__DATASET_PREFIX"] = "ours_"
    warehouse.project.environment["DESTINATION__BIGQUERY__LABELS"] = json.dumps({"team": "data"})
    warehouse.sync(wallets=world.wallets)
    return warehouse


def loads(emulator: Emulator, dataset: str = DATASET) -> list[dict[str, Any]]:
    """Load jobs into raw tables, dlt's own small ones aside."""
    jobs = [job for job in emulator.jobs() if "load" in job["configuration"]]
    targets = [job["configuration"]["load"]["destinationTable"] for job in jobs]
    return [
        job
        for job, target in zip(jobs, targets, strict=True)
        if target["datasetId"] == dataset and not target["tableId"].startswith("_dlt")
    ]


def raw_rows(warehouse: BigQueryWarehouse, dataset: str = DATASET) -> dict[str, tuple[int, int]]:
    """(rows, different rows) per raw table of the venue's that there is."""
    counts = {}
    for table in ("trades", "activity", "markets", "events", "leaderboard"):
        key = "concat(walk_id, cast(walk_position as string))"
        try:
            [row] = warehouse.query(f"select count(*) as n, count(distinct {key}) as d from {dataset}.{table}")
        except Exception as error:
            assert "Not found" in str(error)
            continue
        counts[table] = (row["n"], row["d"])
    return counts


def test_one_parquet_job_per_table_and_package_with_labels(emulator: Emulator, loaded: BigQueryWarehouse) -> None:
    jobs = loads(emulator)
    per_package: Counter[tuple[str, str]] = Counter()
    for job in jobs:
        load = job["configuration"]["load"]
        assert load["sourceFormat"] == "PARQUET"
        assert load["writeDisposition"] == "WRITE_APPEND"
        assert job["configuration"]["labels"] == {"team": "data"}
        table = load["destinationTable"]["tableId"]
        match = re.fullmatch(rf"{DATASET}_(\d+_\d+)_{table}_\w+_parquet", job["jobReference"]["jobId"])
        assert match, job["jobReference"]["jobId"]
        per_package[match[1], table] += 1
    assert set(per_package.values()) == {1}
    assert {table for _, table in per_package} == set(RAW)


def test_raw_tables_are_partitioned_by_day_and_clustered_by_key(emulator: Emulator, loaded: BigQueryWarehouse) -> None:
    path = f"/bigquery/v2/projects/{PROJECT}/datasets/{DATASET}"
    assert emulator.request("GET", path)["labels"] == {"team": "data"}
    for table in RAW:
        made = emulator.request("GET", f"{path}/tables/{table}")
        day, key = {
            "walks": ("ended_at", ["walk_id"]),
            "runs": ("ended_at", ["run_id"]),
        }.get(table, ("fetched_at", ["walk_id", "walk_position"]))
        assert (made["timePartitioning"]["type"], made["timePartitioning"]["field"]) == ("DAY", day)
        assert made["clustering"]["fields"] == key
    assert layout(["load_id", "inserted_at"]) == {}


def test_every_row_arrives_once(loaded: BigQueryWarehouse) -> None:
    counts = raw_rows(loaded)
    assert set(counts) == {"trades", "activity", "markets", "events"}
    assert all(rows == different > 0 for rows, different in counts.values())


def test_a_file_is_loaded_once_whatever_answers_are_lost(
    needs_emulator: None, world: World, replica: RunningReplica, tmp_path: Path
) -> None:
    # Jobs take a while, so that they are polled.
    emulator = Emulator(tmp_path / "emulator", job_delay_ms=200).start()
    lost = {"reason": "backendError", "message": "the answer was lost", "after": True}
    try:
        warehouse = BigQueryWarehouse.on(emulator, tmp_path / "project", replica)
        emulator.fail(
            # Jobs were accepted, and nobody heard of it.
            {"match": "(PUT|POST) /upload", "status": 503, "skip": 1, "times": 2, **lost},
            # Polls that find nothing, or nonsense.
            {"match": "GET .*/jobs/raw_polymarket_.*_trades_", "status": 404, "reason": "notFound", "message": "gone"},
            {"match": "GET .*/jobs/raw_polymarket_.*_activity_", "status": 400, "reason": "invalid", "message": "no"},
        )
        warehouse.sync(wallets=list(world.wallets)[:1])
        seen = emulator.request("GET", "/_emulator/faults")
        assert all(fault["seen"] for fault in seen), seen
        counts = raw_rows(warehouse, "raw_polymarket")
        assert all(rows == different > 0 for rows, different in counts.values())
        ids = [job["jobReference"]["jobId"] for job in loads(emulator, "raw_polymarket")]
        assert len(ids) == len({re.sub(r"_\d+$", "", job_id) for job_id in ids})
    finally:
        emulator.destroy()


def test_only_a_job_that_failed_has_a_successor() -> None:
    jobs: dict[str, Any] = {}

    class Client(RawTablesClient):
        def __init__(self) -> None:
            self.sql_client = cast(Any, SimpleNamespace(dataset_name="raw_x", native_connection=self))

        def get_job(self, job_id: str) -> Any:
            return jobs[job_id]

        def _start(self, table: Any, file_path: str, job_id: str) -> Any:
            if job_id in jobs:
                raise Conflict("taken")
            jobs[job_id] = SimpleNamespace(job_id=job_id, error_result=None)
            return jobs[job_id]

    client = Client()
    names = [
        client.start_or_find(cast(Any, {}), f"trades.abc123.{retry}.parquet", "1700000000.5").job_id for retry in (0, 1)
    ]
    assert names == ["raw_x_1700000000_5_trades_abc123_parquet"] * 2
    jobs[names[0]].error_result = {"reason": "backendError"}
    names += [
        client.start_or_find(cast(Any, {}), f"trades.abc123.{retry}.parquet", "1700000000.5").job_id for retry in (2, 3)
    ]
    assert names[2:] == [names[0] + "_2"] * 2
    assert client.start_or_find(cast(Any, {}), "trades.abc123.0.parquet", "1700000001.5").job_id not in jobs.keys() - {
        "raw_x_1700000001_5_trades_abc123_parquet"
    }


# -- mistakes ----------------------------------------------------------------------------------------------------------

DENIED = "Access Denied: Project nowhere: User does not have bigquery.jobs.create permission in project nowhere."
NO_DATASET = (
    f"Access Denied: Project {PROJECT}: User does not have bigquery.datasets.create permission in project {PROJECT}."
)
NO_TABLE = f"Access Denied: Table {PROJECT}:denied_raw_polymarket.trades: User does not have permission to write"


@pytest.mark.parametrize(
    ("settings", "faults", "message"),
    [
        (
            {"DESTINATION__BIGQUERY__PROJECT_ID": "nowhere"},
            [{"match": "projects/nowhere/", "status": 403, "reason": "accessDenied", "message": DENIED}],
            "check DESTINATION__BIGQUERY__PROJECT_ID",
        ),
        (
            {"DESTINATION__BIGQUERY__PROJECT_ID": "nowhere"},
            [
                {
                    "match": "projects/nowhere/",
                    "status": 404,
                    "reason": "notFound",
                    "message": "Not found: Project nowhere",
                }
            ],
            "check DESTINATION__BIGQUERY__PROJECT_ID",
        ),
        (
            {},
            [{"match": "POST .*/datasets", "status": 403, "reason": "accessDenied", "message": NO_DATASET}],
            "roles bigquery.dataEditor and bigquery.jobUser",
        ),
        (
            {},
            [{"match": "/upload/", "status": 403, "reason": "accessDenied", "message": NO_TABLE}],
            "roles bigquery.dataEditor and bigquery.jobUser",
        ),
        (
            {},
            [
                {
                    "match": "/token",
                    "status": 400,
                    "reason": "invalid_grant",
                    "message": "Token has been expired or revoked.",
                }
            ],
            "GOOGLE_APPLICATION_CREDENTIALS",
        ),
        (
            {},
            [
                {
                    "match": "/bigquery/",
                    "status": 401,
                    "reason": "authError",
                    "message": "Invalid authentication credentials",
                }
            ],
            "GOOGLE_APPLICATION_CREDENTIALS",
        ),
        ({"GOOGLE_APPLICATION_CREDENTIALS": "/no/such/file.json"}, [], "GOOGLE_APPLICATION_CREDENTIALS"),
        ({"DESTINATION__BIGQUERY__DATASET_PREFIX": "Team A"}, [], "DESTINATION__BIGQUERY__DATASET_PREFIX"),
    ],
    ids=[
        "project denied",
        "project unknown",
        "no dataset permission",
        "no table permission",
        "expired",
        "token refused",
        "no credentials file",
        "prefix",
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_setting(
    emulator: Emulator,
    world: World,
    replica: RunningReplica,
    tmp_path: Path,
    settings: dict[str, str],
    faults: list[dict[str, Any]],
    message: str,
) -> None:
    warehouse = BigQueryWarehouse.on(emulator, tmp_path, replica)
    warehouse.project.environment.update({"DESTINATION__BIGQUERY__DATASET_PREFIX": "denied_"} | settings)
    emulator.fail(*[{**fault, "times": None} for fault in faults])
    try:
        shown = checked(warehouse.project.dlt("polymarket", "run", "--wallets", next(iter(world.wallets))), 2)
    finally:
        emulator.fail()
    [line] = [line for line in shown.splitlines() if line.startswith("Error:")]
    assert message in line
    assert "Traceback" not in shown


def test_a_dataset_elsewhere_is_named_with_its_place(
    emulator: Emulator, world: World, replica: RunningReplica, tmp_path: Path
) -> None:
    path = f"/bigquery/v2/projects/{PROJECT}/datasets"
    emulator.request("POST", path, {"datasetReference": {"datasetId": "far_raw_polymarket"}, "location": "EU"})
    warehouse = BigQueryWarehouse.on(emulator, tmp_path, replica)
    warehouse.project.environment["DESTINATION__BIGQUERY__DATASET_PREFIX"] = "far_"
    shown = checked(warehouse.project.dlt("polymarket", "run", "--wallets", next(iter(world.wallets))), 2)
    assert "far_raw_polymarket is in EU, not in US: set DESTINATION__BIGQUERY__LOCATION=EU" in shown
    assert not emulator.request("GET", f"{path}/far_raw_polymarket/tables").get("tables")


def test_somebody_elses_table_is_left_alone(
    emulator: Emulator, world: World, replica: RunningReplica, tmp_path: Path
) -> None:
    emulator.query("create schema theirs_raw_polymarket")
    emulator.query("create table theirs_raw_polymarket.trades as select 'theirs' as owner")
    warehouse = BigQueryWarehouse.on(emulator, tmp_path, replica)
    warehouse.project.environment["DESTINATION__BIGQUERY__DATASET_PREFIX"] = "theirs_"
    shown = checked(warehouse.project.dlt("polymarket", "run", "--wallets", next(iter(world.wallets))), 2)
    assert "holds a table trades that is not of this project" in shown
    assert "DESTINATION__BIGQUERY__DATASET_PREFIX" in shown
    assert warehouse.query("select * from theirs_raw_polymarket.trades") == [{"owner": "theirs"}]
    listing = emulator.request("GET", f"/bigquery/v2/projects/{PROJECT}/datasets/theirs_raw_polymarket/tables")
    assert [table["tableReference"]["tableId"] for table in listing["tables"]] == ["trades"]


def test_somebody_elses_public_table_is_left_alone(
    emulator: Emulator, world: World, replica: RunningReplica, tmp_path: Path
) -> None:
    """Of a name that dbt would replace; the run ends before its first statement, with one sentence."""
    emulator.query("create schema his_polyomega")
    emulator.query("create table his_polyomega.traders as select 'his' as owner")
    emulator.query("create view his_polyomega.events as select 'his' as owner")
    emulator.query("create table his_polyomega.notes as select 'his, too, and in nobody\\'s way' as owner")
    warehouse = BigQueryWarehouse.on(emulator, tmp_path, replica)
    warehouse.project.environment["DESTINATION__BIGQUERY__DATASET_PREFIX"] = "his_"
    # With the variables of the other builds, so that the project is read once.
    variables = ("--vars", "price_venues: []")
    shown = checked(warehouse.project.dbt("--quiet", "build", *variables), 2)
    [line] = [line for line in shown.splitlines() if "not of this project" in line]
    assert "his_polyomega.events, his_polyomega.traders is there and not of this project" in line
    assert "Set DESTINATION__BIGQUERY__DATASET_PREFIX" in line
    for table in ("traders", "events"):
        assert warehouse.query(f"select * from his_polyomega.{table}") == [{"owner": "his"}]
    for dataset, tables in (("his_polyomega", 3), ("his_polyomega_staging", 0), ("his_polyomega_intermediate", 0)):
        listing = emulator.request("GET", f"/bigquery/v2/projects/{PROJECT}/datasets/{dataset}/tables")
        assert len(listing.get("tables", ())) == tables
    # What is not in the way of what is built is not asked for.
    warehouse.build("--select", "exchange_contracts", "stg_polymarket__loads")
    # As a run leaves it that is stopped between a seed's rows and its label: ours all the same.
    seed = "his_polyomega_intermediate.exchange_contracts"
    emulator.query(f"create table his_polyomega_intermediate.copy as select * from {seed}")
    emulator.query(f"drop table {seed}")
    emulator.query(f"create table {seed} as select * from his_polyomega_intermediate.copy")
    warehouse.build("--select", "exchange_contracts", "stg_polymarket__loads")
    # With other columns it is his.
    emulator.query(f"drop table {seed}")
    emulator.query(f"create table {seed} as select 'his' as address")
    assert f"{seed} is there and not of this project" in checked(
        warehouse.project.dbt("--quiet", "build", "--select", "exchange_contracts", *variables), 2
    )
