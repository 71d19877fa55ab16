"""What an incremental build on BigQuery touches: the partitions of its own rows, which its statements name."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.bigquery.analyzer.mutations import FOLDERS, plant
from tests.bigquery.emulator.running import Emulator
from tests.bigquery.records import RAW_READ, SINCE, batches, merges, stretches
from tests.bigquery.warehouse import BigQueryWarehouse
from tests.conftest import ROOT
from tests.replica.server import RunningReplica, serve
from tests.replica.world import World, build_world
from tests.warehouse.conftest import SOAK, WITHOUT_TESTS

DAY = 86_400
#: `trades` and what it is made of, with the column of the partition.
PARTITIONED = {"trades": "timestamp", "int_source_entries": "traded_at", "price_snapshots": "snapshot_time"}
#: Builds `trades`, what it needs, and the sums that are made of it; and prices.
TRADES = ("--select", "+int_position_totals", "+price_snapshots", *WITHOUT_TESTS)


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(seed=43, wallets=5, markets=20, fills=250)


@pytest.fixture(scope="module")
def replica(world: World) -> Iterator[RunningReplica]:
    with serve(world, now=world.ends_at - 2 * DAY) as running:
        yield running


def near(times: list[datetime], days: int = 2) -> set[str]:
    """The months of some times; a row's earlier version may differ from it by two days."""
    return {f"{time + timedelta(days=more):%Y-%m}" for time in times for more in (-days, 0, days)}


def test_an_increment_touches_the_partitions_of_its_rows_alone(
    emulator: Emulator, world: World, replica: RunningReplica, tmp_path: Path
) -> None:
    warehouse = BigQueryWarehouse.on(emulator, tmp_path, replica)
    wallets = list(world.wallets)
    # One wallet is left out at first: its old fills are late rows of the increment.
    warehouse.sync(wallets=wallets[1:])
    warehouse.build(*TRADES)
    before_rows = warehouse.rows("trades")
    known = {row["id"] for row in before_rows}
    before = len(emulator.jobs())
    replica.clock.set(world.ends_at)
    warehouse.sync(wallets=wallets)
    since = datetime.now(UTC).date() - timedelta(days=2)
    warehouse.build(*TRADES)
    jobs = emulator.jobs()[before:]
    after = warehouse.rows("trades")
    new = [row["timestamp"] for row in after if row["id"] not in known]
    assert len(new) > 10

    # What it writes.
    sent = merges(jobs)
    assert set(sent) >= set(PARTITIONED)
    for table, column in PARTITIONED.items():
        named = stretches(sent[table].split(" on ", 1)[1])
        assert set(named) == {f"DBT_INTERNAL_DEST.{column}"}, sent[table]
        [touched] = named.values()
        # Prices are as of the moment at which they were read.
        times = [datetime.now(UTC)] if table == "price_snapshots" else new
        assert {f"{time:%Y-%m}" for time in times} <= touched
        # Entries are more than fills: those of the ledger have months of their own.
        assert touched <= near(times) or table == "int_source_entries"
    assert warehouse.query("select count(*) - count(distinct id) as doubled from polyomega.trades") == [{"doubled": 0}]

    # What it reads: raw rows of the days of its loads, in every place where it reads any.
    read = batches(jobs)
    assert set(read) >= {*PARTITIONED, "int_position_totals", "int_polymarket_markets"}
    days = {model: SINCE.findall(sql) for model, sql in read.items()}
    places = {model: len(RAW_READ.findall(sql)) for model, sql in read.items()}
    assert {model: len(found) for model, found in days.items()} == places
    assert sum(places.values()) > 10
    assert all(day >= since.isoformat() for found in days.values() for day in found)
    # Of what it has, the months of the new fills, and of those whose market came to be known.
    entries = stretches(read["int_source_entries"])
    assert set(entries) == {"traded_at"} and near(new, 0) <= entries["traded_at"]
    changed = [row["timestamp"] for row in after if row["id"] in known and row not in before_rows]
    fills = stretches(read["trades"])
    assert set(fills) <= {"traded_at", "trades.timestamp"}
    assert near(new + changed, 0) <= fills["traded_at"]
    # Of a wallet and outcome whose sums change, all months since its first fill.
    touched_pairs = {(row["wallet_address"], row["token_id"]) for row in after if row["id"] not in known}
    histories = [row["timestamp"] for row in after if (row["wallet_address"], row["token_id"]) in touched_pairs]
    assert near(histories, 0) <= stretches(read["int_position_totals"])["timestamp"]
    assert set(stretches(read["price_snapshots"])) == {"known.snapshot_time"}


def test_an_increment_without_rows_touches_nothing(
    emulator: Emulator, world: World, replica: RunningReplica, tmp_path: Path
) -> None:
    warehouse = BigQueryWarehouse.on(emulator, tmp_path, replica)
    before = len(emulator.jobs())
    warehouse.build(*TRADES)
    jobs = emulator.jobs()[before:]
    sent = merges(jobs)
    assert set(sent) >= set(PARTITIONED)
    assert all("on (false) and" in " ".join(sent[table].split()) for table in PARTITIONED)
    read = batches(jobs)
    assert [model for model, sql in read.items() if SINCE.search(sql)] == []
    assert [table for table in PARTITIONED if stretches(read[table])] == []


#: Where a fault is planted, what is replaced there by what, and what is seen of it.
TWICE = (
    "macros/warehouse_config/bigquery__get_merge_sql.sql",
    "in_stretches('DBT_INTERNAL_DEST.' ~ partition['field'], stretches)",
    "in_stretches('DBT_INTERNAL_DEST.' ~ partition['field'], [])",
    "rows twice",
)
FORGOTTEN = (
    "models/intermediate/fills/int_source_entries.sql",
    "remember_loads()",
    "remember_loads() and 'select 1'",
    "loads to take in again",
)
LOST = ("macros/loads/first_fetch.sql", "interval 1 day", "interval -2 day", "rows lost")


@pytest.mark.parametrize(
    "faults",
    [(TWICE, FORGOTTEN), pytest.param((LOST,), marks=pytest.mark.skipif(not SOAK, reason="make soak"))],
    ids=["partitions and loads", "days"],
)
def test_the_local_bigquery_catches_what_no_analyzer_sees(
    emulator: Emulator,
    world: World,
    replica: RunningReplica,
    tmp_path: Path,
    faults: tuple[tuple[str, str, str, str], ...],
) -> None:
    """Increments in which every name and type is right, and the rows are wrong."""
    copy = tmp_path / "project"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name)
    shutil.copy(ROOT / "dbt_project.yml", copy)
    for path, before, after, _ in faults:
        plant(copy, path, before, after)
    warehouse = BigQueryWarehouse.on(emulator, tmp_path / "warehouse", replica)
    prefix = f"faults_{len(faults)}_"
    warehouse.project.environment["DBT_SCHEMA_PREFIX"] = prefix
    loads = sorted(row["load_id"] for row in warehouse.query("select load_id from raw_polymarket._dlt_loads"))
    # The first half of the loads is there at first; the others read its last rows again.
    later = ", ".join(f"'{load}'" for load in loads[len(loads) // 2 :])
    for status in (1, 0):
        warehouse.query(f"update raw_polymarket._dlt_loads set status = {status} where load_id in ({later})")
        warehouse.build("--project-dir", str(copy), "--select", "+int_source_entries", *WITHOUT_TESTS)
    entries = f"`{prefix}polyomega_intermediate.int_source_entries`"
    key = "concat(entry_key, ':', cast(occurrence as string))"
    [counts] = warehouse.query(f"select count(*) as n, count(distinct {key}) as d from {entries}")
    [right] = warehouse.query("select count(*) as n from polyomega_intermediate.int_source_entries")
    [taken] = warehouse.query(f"select count(*) as n from `{prefix}polyomega_intermediate.int_processed_loads`")
    seen = {
        "rows twice": counts["n"] > counts["d"] == right["n"],
        "loads to take in again": taken["n"] == 0,
        "rows lost": counts["n"] == counts["d"] < right["n"],
    }
    assert {what for what, is_seen in seen.items() if is_seen} == {what for *_, what in faults}, (counts, right, taken)
