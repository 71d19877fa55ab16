"""Every query printed in the documents that this warehouse was asked for in, run as printed but for its names, gives
what the text beside it promises."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from tests.replica.server import serve
from tests.replica.truth import truth
from tests.replica.world import World, build_world
from tests.warehouse.conftest import WITHOUT_TESTS, Warehouse
from tests.warehouse.seeds import DOCUMENTS, Query, on_duckdb, printed_queries

pytestmark = pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the documents are not beside the checkout")

Rows = list[dict[str, Any]]


class Told:
    """A built warehouse with one wallet that failed, and the truth of its world without that wallet."""

    def __init__(self, world: World, warehouse: Warehouse, failed: str, started_at: datetime) -> None:
        self.warehouse = warehouse
        self.failed = failed
        self.started_at = started_at
        self.wallets = sorted(world.wallets)
        self.whole = next(wallet for wallet in self.wallets if wallet != failed and world.fills_by_wallet[wallet])
        told = truth(world, world.ends_at)
        self.trades = [trade for trade in told.trades if trade["wallet_address"] != failed]
        self.categories = {market["condition_id"]: market["category"] for market in told.markets}

    def ask(self, query: Query) -> Rows:
        with duckdb.connect(self.warehouse.project.warehouse, read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            cursor = connection.execute(on_duckdb(query, wallet=self.whole))
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    world = build_world(seed=41, wallets=12, markets=50, fills=1200)
    failed = max(world.wallets, key=lambda wallet: len(world.fills_by_wallet[wallet]))
    started_at = datetime.now(UTC)
    with serve(world) as replica:
        warehouse = Warehouse.in_folder(tmp_path_factory.mktemp("told"), replica)
        replica.faults.add("html", "/v2/(trades|activity)", query={"user": failed})
        warehouse.sync(wallets=world.wallets, code=1)
        warehouse.build(*WITHOUT_TESTS)
    yield Told(world, warehouse, failed, started_at)


def test_no_printed_query_is_overlooked() -> None:
    printed = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS.glob("*.txt"))
    read = "\n".join(query.sql for query in printed_queries())
    assert len(re.findall(r"\bSELECT\b", printed)) == len(re.findall(r"\bSELECT\b", read)) > 10


def latest_trade(told: Told, rows: Rows) -> None:
    [row] = rows
    newest = max(trade["timestamp"] for trade in told.trades)
    assert utc(row["latest_trade"]) == utc(newest)
    assert abs((datetime.now(UTC) - utc(newest)).total_seconds() / 60 - row["minutes_ago"]) < 2


def checkpoints(told: Told, rows: Rows) -> None:
    [row] = rows
    assert told.started_at <= utc(row["last_sync_time"]) <= datetime.now(UTC)
    assert 0 < row["trades_fetched"] <= len(told.trades)
    assert row["markets_fetched"] > 0 and row["events_fetched"] > 0
    assert row["wallets_processed"] == len(told.wallets) - 1
    assert 0 < row["sync_duration_seconds"] < 600


def last_sync_time(told: Told, rows: Rows) -> None:
    [row] = rows
    assert told.started_at <= utc(row["last_sync_time"]) <= datetime.now(UTC)


def progress(told: Told, rows: Rows) -> None:
    known = {row["sync_status"]: row for row in rows}
    assert known["completed"]["wallets"] == len(told.wallets) - 1
    assert known["completed"]["total_trades_synced"] == len(told.trades)
    assert known["failed"]["wallets"] == 1 and known["failed"]["error_count"] > 0
    assert sum(row["wallets"] for row in rows) == len(told.wallets)


def needing_sync(told: Told, rows: Rows) -> None:
    assert 1 <= len(rows) <= 10
    assert {row["wallet_address"] for row in rows} <= set(told.wallets)


def failures(told: Told, rows: Rows) -> None:
    [row] = rows
    assert row["wallet_address"] == told.failed
    assert "answered 200 without JSON" in row["last_error"]
    assert row["error_count"] == 2


def one_wallet(told: Told, rows: Rows) -> None:
    [row] = rows
    own = [trade for trade in told.trades if trade["wallet_address"] == told.whole]
    assert row["sync_status"] == "completed"
    assert row["total_trades_synced"] == len(own)
    assert utc(row["last_trade_timestamp"]) == utc(max(trade["timestamp"] for trade in own))
    assert row["last_error"] is None and row["sync_duration_ms"] >= 0


def all_trades(told: Told, rows: Rows) -> None:
    assert [list(row.values()) for row in rows] == [[len(told.trades)]]


def trades_per_wallet(told: Told, rows: Rows) -> None:
    counted = Counter(trade["wallet_address"] for trade in told.trades)
    assert {row["wallet_address"]: row["trade_count"] for row in rows}.items() <= counted.items()
    assert [row["trade_count"] for row in rows] == [count for _, count in counted.most_common(10)]


def no_condition_is_missing(told: Told, rows: Rows) -> None:
    assert [list(row.values()) for row in rows] == [[0]]
    # Nor is a null one, which the query would not count.
    assert told.warehouse.project.query("select count(*) from polyomega.trades where condition_id is null") == [(0,)]


def categories(told: Told, rows: Rows) -> None:
    wallets: dict[str, set[str]] = {}
    for trade in told.trades:
        category = told.categories.get(trade["condition_id"])
        if category is not None:
            wallets.setdefault(category, set()).add(trade["wallet_address"])
    assert {row["category"]: row["wallet_count"] for row in rows} == {
        category: len(names) for category, names in wallets.items()
    }


def active_markets(told: Told, rows: Rows) -> None:
    [(active,)] = told.warehouse.project.query("select count(*) from polyomega.markets where active")
    assert len(rows) == min(active, 100) > 0
    assert all(re.fullmatch("0x[0-9a-f]+", row["condition_id"]) and row["slug"] for row in rows)
    synced = [row["last_trade_sync_at"] for row in rows]
    assert synced == sorted(synced, key=lambda moment: (moment is not None, moment and utc(moment)))


def backfilled(told: Told, rows: Rows) -> None:
    assert rows == [{"completed_wallets": len(told.wallets) - 1}]


def not_backfilled(told: Told, rows: Rows) -> None:
    [row] = rows
    assert (row["wallet_address"], row["trade_count"]) == (told.failed, 0)
    assert told.started_at <= utc(row["processed_at"])


#: By the words that stand above the query.
PROMISES = {
    "Check Latest Trades": latest_trade,
    "Check Checkpoint Status": checkpoints,
    "No New Trades": last_sync_time,
    "Check sync progress": progress,
    "Find wallets needing sync": needing_sync,
    "Check for failures": failures,
    "Overall progress": progress,
    "Specific wallet": one_wallet,
    "Failed syncs": failures,
    "Total trades": all_trades,
    "Trades per wallet": trades_per_wallet,
    "Missing condition_ids": no_condition_is_missing,
    "Category distribution": categories,
    "1. **Incremental Sync for Active Markets**": active_markets,
    "Check progress": backfilled,
    "Check failed wallets": not_backfilled,
}


def test_every_printed_query_gives_what_its_text_promises(told: Told) -> None:
    queries = printed_queries()
    assert [query.promise for query in queries] == list(PROMISES)
    for query in queries:
        PROMISES[query.promise](told, told.ask(query))


#: Columns of the printed tables that have another name here, or that are a table of their own.
RENAMED = {
    "trades_raw": {
        "trade_id": "trades.id",
        "entry_price": "trades.price",
        "pnl_net": "wallet_market_pnl.resolved_pnl",
    }
}


def test_every_printed_column_is_there(told: Told) -> None:
    """Tables are printed as CREATE TABLE, further columns as ALTER TABLE."""
    printed = "\n".join(path.read_text(encoding="utf-8") for path in sorted(DOCUMENTS.glob("*.txt")))
    wanted: set[tuple[str, str]] = set()
    for table, body in re.findall(r"^CREATE TABLE (\w+) \(\n(.*?)^\)", printed, re.DOTALL | re.MULTILINE):
        wanted |= {(table, column) for column in re.findall(r"^  ([a-z_]+) [A-Z]\w+", body, re.MULTILINE)}
    wanted |= set(re.findall(r"^ALTER TABLE (\w+) ADD COLUMN (\w+)", printed, re.MULTILINE))
    assert len(wanted) > 20
    existing = set(
        told.warehouse.project.query(
            "select table_name, column_name from information_schema.columns where table_schema = 'polyomega'"
        )
    )
    missing = set()
    for table, column in wanted:
        name = RENAMED.get(table, {}).get(column) or f"{'trades' if table == 'trades_raw' else table}.{column}"
        if tuple(name.split(".")) not in existing:
            missing.add(name)
    assert not missing


def utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
