"""What an incremental build on BigQuery touches: the partitions of its own rows, which its statements name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.bigquery.emulator.running import Emulator
from tests.bigquery.warehouse import BigQueryWarehouse
from tests.replica.server import RunningReplica, serve
from tests.replica.world import World, build_world

DAY = 86_400
#: `trades` and what it is made of, with the column of the partition.
PARTITIONED = {"trades": "timestamp", "int_source_entries": "traded_at"}
#: Builds `trades` and what it needs.
TRADES = ("--select", "+trades", "--exclude-resource-type", "test", "unit_test")
STRETCH = re.compile(
    r"DBT_INTERNAL_DEST\.(\w+) >= timestamp '([\d-]+)' and DBT_INTERNAL_DEST\.\1 < timestamp '([\d-]+)'"
)


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(seed=43, wallets=5, markets=20, fills=250)


@pytest.fixture(scope="module")
def replica(world: World) -> Iterator[RunningReplica]:
    with serve(world, now=world.ends_at - 2 * DAY) as running:
        yield running


def merges(emulator: Emulator, since: int) -> dict[str, str]:
    """The merge into each table among the jobs after the first `since`, by table."""
    found = {}
    for job in emulator.jobs()[since:]:
        sql = job["configuration"].get("query", {}).get("query", "")
        for table in PARTITIONED:
            if re.search(rf"merge into `[\w-]+`\.`\w+`\.`{table}`", sql):
                found[table] = sql
    return found


def months(stretches: list[tuple[str, str, str]]) -> set[str]:
    """The months of some stretches, as `2026-05`."""
    named = set()
    for _, begins, ends in stretches:
        year, month = int(begins[:4]), int(begins[5:7])
        while f"{year}-{month:02d}" < ends[:7]:
            named.add(f"{year}-{month:02d}")
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return named


def test_an_increment_touches_the_partitions_of_its_rows_alone(
    emulator: Emulator, world: World, replica: RunningReplica, tmp_path: Path
) -> None:
    warehouse = BigQueryWarehouse.on(emulator, tmp_path, replica)
    wallets = list(world.wallets)
    # One wallet is left out at first: its old fills are late rows of the increment.
    warehouse.sync(wallets=wallets[1:])
    warehouse.build(*TRADES)
    known = {row["id"] for row in warehouse.rows("trades", "id")}
    before = len(emulator.jobs())
    replica.clock.set(world.ends_at)
    warehouse.sync(wallets=wallets)
    warehouse.build(*TRADES)
    new = [row["timestamp"] for row in warehouse.rows("trades") if row["id"] not in known]
    assert len(new) > 10
    expected = {f"{time:%Y-%m}" for time in new}
    # A row's earlier version may differ in time by two days.
    allowed = {f"{time + timedelta(days=days):%Y-%m}" for time in new for days in (-2, 0, 2)}
    sent = merges(emulator, before)
    assert set(sent) == set(PARTITIONED)
    for table, column in PARTITIONED.items():
        stretches = STRETCH.findall(sent[table].split(" on ", 1)[1])
        assert {one for one, _, _ in stretches} == {column}, sent[table]
        touched = months(stretches)
        assert expected <= touched
        # Entries are more than fills: those of the ledger have months of their own.
        assert touched <= allowed or table != "trades"
    assert warehouse.query("select count(*) - count(distinct id) as doubled from polyomega.trades") == [{"doubled": 0}]


def test_an_increment_without_rows_touches_nothing(
    emulator: Emulator, world: World, replica: RunningReplica, tmp_path: Path
) -> None:
    warehouse = BigQueryWarehouse.on(emulator, tmp_path, replica)
    before = len(emulator.jobs())
    warehouse.build(*TRADES)
    sent = merges(emulator, before)
    assert set(sent) == set(PARTITIONED)
    assert all("on (false) and" in " ".join(sql.split()) for sql in sent.values())
