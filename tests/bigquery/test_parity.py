"""The same world gives the same public tables on BigQuery and on DuckDB, row for row, and both are the truth.

What BigQuery was loaded with is copied to DuckDB as it is, so that every column can be compared, those of loads and
runs included; the loading itself is compared with the world's truth. On the way everything is killed now and then, the
extractor, dbt and BigQuery itself, which must change nothing.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.bigquery.emulator.running import Emulator
from tests.bigquery.records import SINCE, batches, merges, stretches, written
from tests.bigquery.shards import Shards
from tests.bigquery.twins import WITHOUT_UNIT_TESTS, Row, Twins
from tests.bigquery.warehouse import BigQueryWarehouse
from tests.conftest import BIN, ROOT
from tests.replica.server import serve
from tests.replica.truth import truth
from tests.replica.world import World, build_world
from tests.warehouse.conftest import SOAK, WITHOUT_TESTS, Warehouse, checked

#: Increments in which the loads are taken in, and kills while loading and while building; `make soak` does more.
STEPS = 10 if SOAK else 1
LOADING_KILLS = 12 if SOAK else 2
BUILDING_KILLS = 12 if SOAK else 2
#: Half of BigQuery's limits for a table and day, and the builds that share them: jobs that change the table, changes
#: of its partitions.
WRITES, PARTITION_CHANGES, BUILDS = 1500 // 2, 30_000 // 2, 48


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(seed=51, wallets=10, markets=40, fills=700)


@pytest.fixture(scope="module")
def twins(emulator: Emulator, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """Loaded by two shards at once, in many small packages."""
    with serve(world) as replica:
        on_bigquery = BigQueryWarehouse.on(emulator, tmp_path_factory.mktemp("bigquery"), replica)
        on_bigquery.project.environment["SOURCES__POLYMARKET__WALKS_PER_LOAD"] = "4"
        on_duckdb = Warehouse.in_folder(tmp_path_factory.mktemp("duckdb"), replica)
        Shards.of(on_bigquery, world.wallets, seed=8).load(LOADING_KILLS)
        yield Twins(on_bigquery, on_duckdb)


def test_two_shards_at_once_bring_every_wallet_once_in_loads_out_of_order(twins: Twins, world: World) -> None:
    loads = [
        row["load_id"]
        for row in twins.bigquery.query(
            "select load_id from raw_polymarket._dlt_loads where status = 0 order by inserted_at, load_id desc"
        )
    ]
    assert loads != sorted(loads)
    walks = twins.raw("walks", "resource in ('trades', 'activity') and status = 'completed'")
    assert Counter((walk["resource"], walk["scope"]) for walk in walks) == Counter(
        (resource, wallet) for resource in ("trades", "activity") for wallet in world.wallets
    )
    for table in ("trades", "activity", "markets", "events"):
        rows = twins.raw(table)
        assert rows and {row["_dlt_load_id"] for row in rows} <= set(loads)
        assert len({(row["walk_id"], row["walk_position"]) for row in rows}) == len(rows), table


#: Seconds until a kill, always the same ones.
MOMENTS = random.Random(8)


def interrupt(warehouse: BigQueryWarehouse, command: list[str], seconds: float, is_bigquery: bool) -> None:
    """Runs a command and kills it after a while, or kills BigQuery beneath it, which then starts again."""
    process = subprocess.Popen(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        env=warehouse.project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        if is_bigquery:
            warehouse.emulator.kill()
            warehouse.emulator.start()
    # A command whose BigQuery went away may wait for minutes before it gives up: a kill of its own, too.
    process.kill()
    process.wait()


def test_after_a_full_run(twins: Twins) -> None:
    hidden = twins.hide_loads_but(3)
    assert len(hidden) >= STEPS
    # The tests of data are run after the last build, which has all of these rows.
    twins.build(*(WITHOUT_UNIT_TESTS if SOAK else WITHOUT_TESTS))
    twins.assert_same()
    assert twins.bigquery.rows("trades")
    per_step = -(-len(hidden) // STEPS)
    STEPS_LEFT.extend(hidden[start : start + per_step] for start in range(0, len(hidden), per_step))


#: Loads per step that the full run left hidden.
STEPS_LEFT: list[list[str]] = []


@pytest.mark.timeout(3000)
def test_after_increments_that_were_killed_of_which_the_last_gives_the_truth(twins: Twins, world: World) -> None:
    assert STEPS_LEFT, "the full run comes first"
    before = len(twins.bigquery.rows("trades"))
    for loads in STEPS_LEFT:
        twins.commit(loads)
        for kill in range(-(-BUILDING_KILLS // STEPS)):
            command = ["dbt", "build", *twins.variables, *WITHOUT_TESTS]
            interrupt(twins.bigquery, command, MOMENTS.uniform(8, 25), is_bigquery=kill % 2 == 1)
        twins.build(*WITHOUT_TESTS)
        twins.assert_same()
    assert len(twins.bigquery.rows("trades")) > before
    twins.bigquery.assert_equals(truth(world, world.ends_at))


def test_verify_finds_what_is_planted_and_nothing_else(twins: Twins, world: World) -> None:
    """What it finds of each kind stands in tests/warehouse/test_verify.py; here its questions are BigQuery's."""
    whole = verify(twins, code=0)
    assert whole["clean"] is True and whole["asked"]["wallets"] == len(world.wallets)
    [lost, doubled] = twins.bigquery.query(
        "select min(id) as id, wallet_address as wallet from polyomega.trades "
        "group by wallet_address, transaction_hash having count(*) = 1 order by 1 limit 2"
    )
    [stale] = twins.bigquery.query(
        "select market_id from polyomega.markets where status = 'resolved' and market_id in "
        "(select market_id from polyomega.trades) order by 1 limit 1"
    )
    twins.bigquery.query("create schema kept")
    for table in ("trades", "markets"):
        twins.bigquery.query(f"create table kept.{table} as select * from polyomega.{table}")
    twins.bigquery.query(f"delete from polyomega.trades where id = '{lost['id']}'")
    twins.bigquery.query(
        "insert into polyomega.trades select * replace ('another' as id) from polyomega.trades "
        f"where id = '{doubled['id']}'"
    )
    twins.bigquery.query(
        f"update polyomega.markets set status = 'open', closed = false where market_id = '{stale['market_id']}'"
    )
    try:
        found = verify(twins, code=1)["findings"]
    finally:
        for table in ("trades", "markets"):
            twins.bigquery.query(f"truncate table polyomega.{table}")
            twins.bigquery.query(f"insert into polyomega.{table} select * from kept.{table}")
    assert {(one["kind"], one["scope"]) for one in found} == {
        ("missing_rows", lost["wallet"]),
        ("duplicated_rows", doubled["wallet"]),
        ("stale_market", stale["market_id"]),
    }


def verify(twins: Twins, code: int) -> dict[str, Any]:
    process = twins.bigquery.project.dlt("polymarket", "verify", "--json", "--sample", "1000")
    checked(process, code)
    document: dict[str, Any] = json.loads(process.stdout)
    return document


def test_after_a_repeated_load_a_changed_resolution_another_category_and_a_late_row(twins: Twins) -> None:
    trades = twins.bigquery.rows("trades")
    market = resolved_market(twins)
    event = categorised_event(twins, market)
    late = late_trade(twins)
    repeated = twins.raw("trades", "_dlt_load_id = (select min(_dlt_load_id) from raw_polymarket.trades)")
    assert repeated
    twins.append("9000000001.0", trades=repeated)
    twins.append("9000000002.0", markets=[other_winner(market)], events=[other_tags(event)], trades=[late])
    before = len(twins.bigquery.emulator.jobs())
    twins.build(*WITHOUT_UNIT_TESTS)
    twins.assert_same()
    jobs = twins.bigquery.emulator.jobs()[before:]
    # These loads' names are times after their commit: nobody can say how old their rows are, and all days are read.
    assert SINCE.search(batches(jobs)["int_source_entries"]) is None
    assert_a_day_of_builds_is_within_limits(jobs, trades)

    after = twins.bigquery.rows("trades")
    assert len(after) == len(trades) + 1
    [found] = [trade for trade in after if trade["transaction_hash"] == late["transaction_hash"]]
    assert found["timestamp"] == datetime.fromtimestamp(int(late["timestamp"]), UTC)
    condition = market["condition_id"]
    [changed] = twins.bigquery.query(f"select * from polyomega.markets where market_id = '{condition}'")
    prices = json.loads(json.loads(market["payload"])["outcomePrices"])
    outcomes = json.loads(json.loads(market["payload"])["outcomes"])
    assert changed["winning_outcome"] == outcomes[1 - prices.index("1")]
    [moved] = twins.bigquery.query(f"select * from polyomega.events where event_slug = '{event['slug']}'")
    assert moved["category"] == "Sports"


def assert_a_day_of_builds_is_within_limits(jobs: list[dict[str, Any]], trades: list[Row]) -> None:
    """Of a build every half hour, each as costly as the one of these job records, under half of every limit."""
    counts = written(jobs)
    assert {"polyomega.trades", "polyomega.wallet_scores", "polyomega_intermediate.int_source_entries"} <= set(counts)
    # One write per table; each model that takes in loads notes it in a list that they share.
    assert {table for table, count in counts.items() if count > 1} <= {"polyomega_intermediate.int_processed_loads"}
    assert max(counts.values()) * BUILDS < WRITES
    named = {
        table: set().union(*stretches(sql.split(" on ", 1)[1]).values())
        for table, sql in merges(jobs).items()
        if table in ("trades", "int_source_entries")
    }
    assert len(named) == 2 and all(named.values()), named
    # The worst day: each build is a backfill, with rows of every month that there is.
    every_month = {f"{row['timestamp']:%Y-%m}" for row in trades} | named["trades"]
    assert len(every_month) * BUILDS < PARTITION_CHANGES


def resolved_market(twins: Twins) -> Row:
    """The newest raw row of a market with two outcomes that was resolved and has scored positions."""
    for row in sorted(twins.raw("markets"), key=lambda row: row["fetched_at"], reverse=True):
        fields = json.loads(row["payload"])
        if sorted(json.loads(fields.get("outcomePrices") or "[]")) == ["0", "1"] and fields.get("closed"):
            profits = (
                f"select * from polyomega.wallet_market_pnl where market_id = '{row['condition_id']}' and is_scored"
            )
            if twins.bigquery.query(profits):
                return row
    raise AssertionError("the world has no such market")


def other_winner(market: Row) -> Row:
    def swap(fields: Row) -> None:
        fields["outcomePrices"] = json.dumps(json.loads(fields["outcomePrices"])[::-1])

    return _later(market, swap)


def categorised_event(twins: Twins, market: Row) -> Row:
    """The newest raw row of the market's event."""
    slug = twins.bigquery.query(
        f"select event_slug from polyomega.markets where market_id = '{market['condition_id']}'"
    )[0]["event_slug"]
    return max(twins.raw("events", f"slug = '{slug}'"), key=lambda row: row["fetched_at"])


def other_tags(event: Row) -> Row:
    return _later(event, lambda fields: fields.update(tags=[{"id": "1", "label": "Sports", "slug": "sports"}]))


def _later(row: Row, change: Callable[[Row], None]) -> Row:
    """The row as a later walk would have read it, with a change in what the venue says."""
    fields = json.loads(row["payload"])
    change(fields)
    return row | {
        "payload": json.dumps(fields),
        "fetched_at": row["fetched_at"] + timedelta(days=1),
        "walk_id": f"{row['walk_id']}-again",
    }


def late_trade(twins: Twins) -> Row:
    """A fill that happened long before all others and that the venue shows only now."""
    first = min(twins.raw("trades"), key=lambda row: int(row["timestamp"]))
    return first | {
        "transaction_hash": "0x" + "1a7e" * 16,
        "timestamp": str(int(first["timestamp"]) - 400 * 86_400),
        "walk_id": "a-late-walk",
        "walk_position": 0,
    }


def test_a_lost_disk_comes_back_from_bigquery(twins: Twins, world: World, tmp_path: Path) -> None:
    """Without a working folder the next run knows what the warehouse has, and asks only for what is new."""
    project = twins.bigquery.project
    moved = {"PIPELINES_DIR": str(tmp_path / "elsewhere"), "DLT_DATA_DIR": str(tmp_path / "dlt")}
    rows = twins.bigquery.query("select count(*) as n from raw_polymarket.trades")[0]["n"]
    shown = checked(project.dlt("polymarket", "run", "--dry-run", **moved), 0)
    assert f"{len(world.wallets):,} of {len(world.wallets):,} done" in shown
    dry = json.loads(checked(project.dlt("polymarket", "status", "--json", **moved), 0))
    assert dry["runs"]
    [counts] = [line for line in shown.splitlines() if "would be fetched" in line]
    fetched = {name: int(count.replace(",", "")) for count, name in _pairs(counts)}
    # From each wallet's watermark on, less the overlap: not its history again.
    assert 0 < fetched["trades"] < rows / 2


def _pairs(line: str) -> list[tuple[str, str]]:
    return [(part.split()[0], part.split()[1]) for part in line.split(": ", 1)[1].split(", ")]
