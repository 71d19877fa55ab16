"""A backfill that is killed, faulted, stopped or cut in parts ends as one that was left alone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import BIN, ROOT
from tests.replica.server import RunningReplica, serve
from tests.replica.world import World, build_world
from tests.warehouse.conftest import WITHOUT_TESTS, Warehouse, checked

SOAK = os.environ.get("POLYOMEGA_SOAK") == "1"
KILLS = 30 if SOAK else 1
PUBLIC = ("trades", "markets", "contracts", "events", "wallet_positions", "wallet_market_pnl", "wallet_scores")
#: When a row was loaded or a venue's clock read says nothing of what the row is.
OWN_TIMES = {"first_loaded_at", "observed_at", "last_trade_sync_at"}


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(seed=57, wallets=12, markets=40, fills=900)


@pytest.fixture(scope="module")
def replica(world: World) -> Iterator[RunningReplica]:
    with serve(world) as running:
        yield running


def backfilled(folder: Path, replica: RunningReplica, world: World) -> Warehouse:
    """A warehouse that loads a package per three wallets, so that there is something to kill between."""
    warehouse = Warehouse.in_folder(folder, replica)
    warehouse.project.environment["SOURCES__POLYMARKET__WALKS_PER_LOAD"] = "6"
    (folder / "wallets.txt").write_text("\n".join(world.wallets))
    return warehouse


def backfill(warehouse: Warehouse, *arguments: str) -> list[str]:
    listing = str(warehouse.project.folder / "wallets.txt")
    return ["polymarket", "run", "--backfill", "--wallets", listing, *arguments]


def build(warehouse: Warehouse) -> None:
    tables = (f"+{table}" for table in PUBLIC)
    warehouse.build("--select", *tables, *WITHOUT_TESTS)


def contents(warehouse: Warehouse) -> dict[str, Counter[str]]:
    tables = {}
    for table in PUBLIC:
        rows = warehouse.rows(table)
        assert rows, table
        kept = [{name: value for name, value in row.items() if name not in OWN_TIMES} for row in rows]
        tables[table] = Counter(map(repr, kept))
    return tables


def committed(warehouse: Warehouse) -> dict[str, set[str]]:
    """What the venue said, in committed loads, however often; and which walks were completed."""
    of_load = "_dlt_load_id in (select load_id from raw_polymarket._dlt_loads where status = 0)"
    read = {
        table: {
            row[0] for row in warehouse.project.query(f"select payload from raw_polymarket.{table} where {of_load}")
        }
        for table in ("trades", "activity", "markets", "events")
    }
    walks = warehouse.project.query(
        "select resource || ' ' || scope from raw_polymarket.walks "
        f"where status = 'completed' and resource in ('trades', 'activity') and {of_load}"
    )
    assert len(walks) == len(set(walks)), "a completed wallet was read again"
    return read | {"walks": {row[0] for row in walks}}


@pytest.fixture(scope="module")
def uninterrupted(world: World, replica: RunningReplica, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = backfilled(tmp_path_factory.mktemp("uninterrupted"), replica, world)
    checked(warehouse.project.dlt(*backfill(warehouse)), 0)
    return warehouse


def test_a_backfill_that_is_killed_at_any_moment_ends_as_one_that_was_not(
    world: World, replica: RunningReplica, tmp_path: Path, uninterrupted: Warehouse
) -> None:
    warehouse = backfilled(tmp_path, replica, world)
    chance = random.Random(7)
    command = [str(BIN / "dlt"), "pipeline", *backfill(warehouse)]
    killed = 0
    for _ in range(KILLS * 4):
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=warehouse.project.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        # From the moment that it has the folder: starting Python is no step of a backfill.
        while process.poll() is None and not list(tmp_path.rglob("run.lock")):
            time.sleep(0.01)
        time.sleep(chance.uniform(1.0, 7.0))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        process.wait()
        if killed == KILLS:
            break
        if process.returncode == 0:
            # It was through before the kill: once more from the beginning.
            warehouse.project.warehouse.unlink()
    checked(warehouse.project.dlt(*backfill(warehouse)), 0)
    assert killed == KILLS
    assert committed(warehouse) == committed(uninterrupted)
    for one in (warehouse, uninterrupted):
        build(one)
    assert contents(warehouse) == contents(uninterrupted)


def test_a_fifth_of_all_requests_may_fail(
    world: World, replica: RunningReplica, tmp_path: Path, uninterrupted: Warehouse
) -> None:
    warehouse = backfilled(tmp_path, replica, world)
    warehouse.project.environment["RUNTIME__REQUEST_TIMEOUT"] = "1"
    kinds = (
        ("rate_limited", {}),
        ("error", {"status": 500}),
        ("error", {"status": 503, "body": "text"}),
        ("hang", {"seconds": 1.5}),
        ("cut", {}),
        ("html", {}),
        ("reset", {}),
    )
    for seed, (kind, options) in enumerate(kinds):
        # Each strikes those that the ones before have spared: together a fifth.
        replica.faults.add(kind, "/(v2|markets|events)", probability=0.032, seed=seed, **options)
    replica.requests.clear()
    try:
        for _ in range(10):
            process = warehouse.project.dlt(*backfill(warehouse))
            assert process.returncode in (0, 1), process.stderr
            if process.returncode == 0:
                break
    finally:
        replica.faults.clear()
    struck = sum(request.fault is not None for request in replica.requests)
    assert struck > len(replica.requests) / 10
    assert process.returncode == 0, process.stdout
    # What failed in the end was asked for again by the next run.
    assert committed(warehouse) == committed(uninterrupted)


def test_a_backfill_says_how_to_go_on_and_goes_on(
    world: World, replica: RunningReplica, tmp_path: Path, uninterrupted: Warehouse
) -> None:
    warehouse = backfilled(tmp_path, replica, world)
    warehouse.project.environment["SOURCES__POLYMARKET__REQUESTS_PER_SECOND"] = "8"
    command = [str(BIN / "dlt"), "pipeline", *backfill(warehouse)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=warehouse.project.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    asked = len(replica.requests)
    while process.poll() is None and len(replica.requests) < asked + 6:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 3, told
    [resume] = [line for line in told.splitlines() if "To resume:" in line]
    again = resume.split("To resume: dlt ")[1].split()
    assert again[1:] == backfill(warehouse)
    warehouse.project.environment["SOURCES__POLYMARKET__REQUESTS_PER_SECOND"] = "2000"
    # On another machine, whose disk is empty.
    (tmp_path / "pipelines").rename(tmp_path / "lost")
    asked = len(replica.requests)
    checked(warehouse.project.run(["dlt", *again]), 0)
    assert len(replica.requests) > asked
    assert "0 of 0 done" in checked(warehouse.project.dlt(*backfill(warehouse)), 0)
    assert committed(warehouse) == committed(uninterrupted)


def test_shards_together_are_the_whole(
    world: World, replica: RunningReplica, tmp_path: Path, uninterrupted: Warehouse
) -> None:
    warehouse = backfilled(tmp_path, replica, world)
    for shard in ("2/2", "1/2"):
        checked(warehouse.project.dlt(*backfill(warehouse, "--shard", shard)), 0)
    assert sorted(path.name for path in (tmp_path / "pipelines").iterdir()) == ["shard-1-of-2", "shard-2-of-2"]
    assert committed(warehouse) == committed(uninterrupted)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shard", "0/2"], "--shard: '0/2' is no I/N"),
        (["--shard", "3/2"], "--shard: '3/2' is no I/N"),
        (["--workers", "0"], "--workers must be at least 1"),
        (["--markets", "0x12"], "--markets: '0x12' is neither a condition id"),
        (["--backfill", "--retry-failed"], "not allowed with"),
    ],
)
def test_a_mistake_is_one_clear_message(
    tmp_path: Path, replica: RunningReplica, arguments: list[str], message: str
) -> None:
    process = Warehouse.in_folder(tmp_path, replica).project.dlt("run", *arguments)
    assert process.returncode == 2
    assert message in " ".join((process.stdout + process.stderr).split())
    assert "Traceback" not in process.stderr
    assert sys.executable not in process.stderr
