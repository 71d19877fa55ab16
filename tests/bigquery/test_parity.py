"""The same world gives the same public tables on BigQuery and on DuckDB, row for row, and both are the truth.

What BigQuery was loaded with is copied to DuckDB as it is, so that every column can be compared, those of loads and
runs included; the loading itself is compared with the world's truth. On the way everything is killed now and then, the
extractor, dbt and BigQuery itself, which must change nothing.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from google.cloud import bigquery

from tests.bigquery.emulator.running import Emulator
from tests.bigquery.records import SINCE, batches, merges, stretches, written
from tests.bigquery.warehouse import BigQueryWarehouse
from tests.conftest import BIN, ROOT
from tests.replica.server import serve
from tests.replica.truth import truth
from tests.replica.world import World, build_world
from tests.warehouse.conftest import SOAK, WITHOUT_TESTS, Warehouse, checked

RELATIVE = 1e-12
#: Increments in which the loads are taken in, and kills while loading and while building; `make soak` does more.
STEPS = 10 if SOAK else 1
LOADING_KILLS = 12 if SOAK else 2
BUILDING_KILLS = 12 if SOAK else 2
#: Half of BigQuery's limits for a table and day, and the builds that share them: jobs that change the table, changes
#: of its partitions.
WRITES, PARTITION_CHANGES, BUILDS = 1500 // 2, 30_000 // 2, 48
Row = dict[str, Any]


def public_tables() -> list[str]:
    """Those that are built without venues of prices, too."""
    files = (file for file in (ROOT / "models" / "marts").rglob("*.yml") if file.parent.name != "matches")
    return sorted(
        model["name"]
        for path in files
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models", [])
    )


@dataclass(frozen=True)
class Twins:
    """One raw dataset, two engines."""

    bigquery: BigQueryWarehouse
    duckdb: Warehouse

    def copy_raw(self) -> None:
        """Makes DuckDB's raw tables what BigQuery's are."""
        with self.bigquery.client() as client, duckdb.connect(self.duckdb.project.warehouse) as file:
            file.execute("create schema if not exists raw_polymarket")
            for table in client.list_tables("raw_polymarket"):
                rows = client.query_and_wait(f"select * from raw_polymarket.{table.table_id}").to_arrow(
                    create_bqstorage_client=False
                )
                file.register("copied", rows)
                file.execute(f"create or replace table raw_polymarket.{table.table_id} as select * from copied")
                file.unregister("copied")

    def build(self, *arguments: str) -> None:
        """`dbt build` on both, at once; DuckDB's tests are run elsewhere."""
        self.copy_raw()
        with ThreadPoolExecutor(2) as both:
            results = [
                both.submit(self.bigquery.build, *arguments),
                both.submit(self.duckdb.build, *WITHOUT_TESTS),
            ]
        for result in results:
            result.result()

    def assert_same(self) -> None:
        wrong = {
            table: difference
            for table in public_tables()
            if (difference := differences(self.bigquery.rows(table), self.duckdb.rows(table)))
        }
        assert not wrong, "\n".join(f"{table}:\n{text}" for table, text in wrong.items())

    # -- what happens to raw tables, as later loads would bring it

    def hide_loads_after(self, count: int) -> list[str]:
        """Makes all loads but the first `count` uncommitted; returns the hidden ones, oldest first."""
        loads = [
            row["load_id"] for row in self.bigquery.query("select load_id from raw_polymarket._dlt_loads order by 1")
        ]
        hidden = loads[count:]
        self._set_status(1, hidden)
        return hidden

    def commit(self, loads: list[str]) -> None:
        self._set_status(0, loads)

    def _set_status(self, status: int, loads: list[str]) -> None:
        names = ", ".join(f"'{load}'" for load in loads)
        self.bigquery.query(f"update raw_polymarket._dlt_loads set status = {status} where load_id in ({names})")

    def raw(self, table: str, where: str = "true") -> list[Row]:
        return self.bigquery.query(f"select * from raw_polymarket.{table} where {where}")

    def append(self, load_id: str, **rows: list[Row]) -> None:
        """Loads rows into raw tables, by name, as one committed load."""
        stamp = {"_dlt_load_id": load_id}
        load = {"load_id": load_id, "schema_name": "polymarket", "status": 0, "inserted_at": datetime.now(UTC)}
        with self.bigquery.client() as client:
            for table, items in [*rows.items(), ("_dlt_loads", [load])]:
                target = client.get_table(f"raw_polymarket.{table}")
                stamped = [row if table == "_dlt_loads" else row | stamp for row in items]
                config = bigquery.LoadJobConfig(schema=target.schema, write_disposition="WRITE_APPEND")
                client.load_table_from_json([_json(row) for row in stamped], target, job_config=config).result()


def _json(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def differences(bigquery_rows: list[Row], duckdb_rows: list[Row]) -> str:
    """Empty where both hold the same rows: floats to a relative 1e-12, everything else exactly."""
    ours, theirs = _grouped(bigquery_rows), _grouped(duckdb_rows)
    texts = [f"  only BigQuery: {dict(key)}" for key in ours.keys() - theirs.keys()][:3]
    texts += [f"  only DuckDB:   {dict(key)}" for key in theirs.keys() - ours.keys()][:3]
    for key in ours.keys() & theirs.keys():
        if len(ours[key]) != len(theirs[key]):
            texts.append(f"  {len(ours[key])} times on BigQuery, {len(theirs[key])} on DuckDB: {dict(key)}")
        for one, other in zip(sorted(ours[key], key=repr), sorted(theirs[key], key=repr), strict=False):
            texts += [
                f"  {name}: {one[name]!r} and {other[name]!r} of {dict(key)}"
                for name in one
                if not math.isclose(one[name], other[name], rel_tol=RELATIVE)
            ]
    return "\n".join(texts[:8])


def _grouped(rows: list[Row]) -> dict[frozenset[tuple[str, Any]], list[dict[str, float]]]:
    """The rows' floats by everything else in them."""
    groups: dict[frozenset[tuple[str, Any]], list[dict[str, float]]] = defaultdict(list)
    for row in rows:
        floats = {name: value for name, value in row.items() if isinstance(value, float)}
        exact = frozenset((name, _plain(value)) for name, value in row.items() if name not in floats)
        groups[exact].append(floats)
    return groups


def _plain(value: Any) -> Any:
    """Equal values in one form: no trailing zeros, moments in UTC, arrays as tuples (BigQuery has no null array)."""
    if isinstance(value, Decimal):
        return value.normalize() if value else Decimal(0)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, list):
        return tuple(map(_plain, value)) or None
    if value is None or isinstance(value, str | int | date):
        return value
    raise TypeError(f"a column of {type(value).__name__}")


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(seed=51, wallets=10, markets=40, fills=700)


@pytest.fixture(scope="module")
def twins(emulator: Emulator, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """Loaded in many small packages, of which the first few are taken in by a full build."""
    with serve(world) as replica:
        on_bigquery = BigQueryWarehouse.on(emulator, tmp_path_factory.mktemp("bigquery"), replica)
        on_bigquery.project.environment["SOURCES__POLYMARKET__WALKS_PER_LOAD"] = "6"
        on_duckdb = Warehouse.in_folder(tmp_path_factory.mktemp("duckdb"), replica)
        listing = on_bigquery.project.folder / "wallets.txt"
        listing.write_text("\n".join(world.wallets))
        command = ["dlt", "pipeline", "polymarket", "run", "--wallets", str(listing)]
        for kill in range(LOADING_KILLS):
            interrupt(on_bigquery, command, MOMENTS.uniform(3, 9), kill % 2 == 1)
        on_bigquery.sync(wallets=world.wallets)
        yield Twins(on_bigquery, on_duckdb)


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
    hidden = twins.hide_loads_after(3)
    assert len(hidden) >= STEPS
    twins.build(*WITHOUT_UNIT_TESTS)
    twins.assert_same()
    assert twins.bigquery.rows("trades")
    per_step = -(-len(hidden) // STEPS)
    STEPS_LEFT.extend(hidden[start : start + per_step] for start in range(0, len(hidden), per_step))


#: Loads per step that the first test left hidden.
STEPS_LEFT: list[list[str]] = []
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")


@pytest.mark.timeout(3000)
def test_after_increments_that_were_killed_of_which_the_last_gives_the_truth(twins: Twins, world: World) -> None:
    assert STEPS_LEFT, "the full run comes first"
    before = len(twins.bigquery.rows("trades"))
    for loads in STEPS_LEFT:
        twins.commit(loads)
        for kill in range(-(-BUILDING_KILLS // STEPS)):
            interrupt(twins.bigquery, ["dbt", "build", *WITHOUT_TESTS], MOMENTS.uniform(8, 25), kill % 2 == 1)
        twins.build(*WITHOUT_TESTS)
        twins.assert_same()
    assert len(twins.bigquery.rows("trades")) > before
    twins.bigquery.assert_equals(truth(world, world.ends_at))


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
