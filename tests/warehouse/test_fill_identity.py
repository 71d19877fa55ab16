"""A fill is counted once and two equal fills are two, whoever reports them, however often, and in whatever order.

Histories are generated: transactions with fills, some of them equal, seen by walks of three feeds. A walk may stop half
way, begin later, or be written twice; loads are committed in any order and built in one go or in two.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extract.dome.settings import ORDERS
from extract.polymarket.settings import ACTIVITY, TRADES
from extract.raw import RawTable
from extract.walks import WalkRecord
from tests.conftest import Project, make_project
from tests.warehouse.conftest import SOAK

EPOCH = 1_750_000_000
NOW = datetime(2026, 3, 1, tzinfo=UTC)
FEEDS = ("trades", "activity", "orders", "indexed_orders")


@dataclass(frozen=True)
class Fill:
    """One fill as the chain has it; `number` is its place in the history, and its log index."""

    transaction: int
    wallet: int
    token: int
    side: str
    shares_micro: int
    usdc_micro: int
    fee_micro: int
    number: int

    @property
    def timestamp(self) -> int:
        return EPOCH + self.transaction * 60

    @property
    def price(self) -> float:
        return self.usdc_micro / self.shares_micro


@dataclass(frozen=True)
class Walk:
    """One reading of a wallet by a feed: which part of the history (newest first) it saw, and in which load."""

    feed: str
    wallet: int
    skipped: int
    seen: int | None
    load: int
    written_twice: bool


@dataclass(frozen=True)
class History:
    fills: tuple[Fill, ...]
    walks: tuple[Walk, ...]
    commit_order: tuple[int, ...]
    first_build_after: int


@st.composite
def histories(draw: st.DrawFn) -> History:
    fills: list[Fill] = []
    for transaction in range(draw(st.integers(1, 12))):
        # Few distinct values, so that equal fills of one transaction are common.
        sides = draw(
            st.lists(
                st.tuples(
                    st.integers(0, 2),
                    st.integers(0, 1),
                    st.sampled_from(["BUY", "SELL"]),
                    st.sampled_from([5_000_000, 1_283_535_383, 16_000_000]),
                    st.sampled_from([500_000, 870_000]),
                    st.sampled_from([0, 12_340]),
                ),
                min_size=1,
                max_size=5,
            )
        )
        for wallet, token, side, shares, price, fee in sides:
            usdc = shares * price // 1_000_000
            fills.append(Fill(transaction, wallet, token, side, shares, usdc, fee, len(fills)))
    wallets = sorted({fill.wallet for fill in fills})
    partial = st.builds(
        Walk,
        feed=st.sampled_from(FEEDS),
        wallet=st.sampled_from(wallets),
        skipped=st.integers(0, 6),
        seen=st.none() | st.integers(0, 9),
        load=st.integers(0, 5),
        written_twice=st.booleans(),
    )
    whole = [
        Walk(draw(st.sampled_from(FEEDS)), wallet, 0, None, draw(st.integers(0, 5)), draw(st.booleans()))
        for wallet in wallets
    ]
    walks = draw(st.permutations([*whole, *draw(st.lists(partial, max_size=8))]))
    return History(tuple(fills), tuple(walks), tuple(draw(st.permutations(range(6)))), draw(st.integers(1, 5)))


def seen_by(history: History, walk: Walk) -> list[Fill]:
    """Newest first, as feeds are; fills of one transaction are never parted by where a walk begins."""
    fills = [fill for fill in history.fills if fill.wallet == walk.wallet]
    newest_first = sorted(fills, key=lambda fill: (-fill.transaction, -fill.number))
    starts = sorted({fill.transaction for fill in fills}, reverse=True)[walk.skipped :]
    shown = [fill for fill in newest_first if fill.transaction in starts]
    return shown[: walk.seen]


class Universe:
    """Many histories side by side in one warehouse, told apart by a prefix of their wallets and transactions."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def text(self, prefix: int, kind: str, number: int, digits: int) -> str:
        return f"0x{kind}{prefix:06x}{number:0{digits - 7}x}"

    def wallet(self, prefix: int, number: int) -> str:
        return self.text(prefix, "a", number, 40)

    def row(self, prefix: int, feed: str, fill: Fill) -> dict[str, Any]:
        common = {
            "side": fill.side,
            "token_id": str(10**76 + prefix * 10 + fill.token),
            "condition_id": self.text(prefix, "c", 0, 64),
            "price": fill.price,
            "timestamp": fill.timestamp,
        }
        transaction = self.text(prefix, "b", fill.transaction, 64)
        if feed in ("orders", "indexed_orders"):
            order = {
                **common,
                "user": self.wallet(prefix, fill.wallet),
                "tx_hash": transaction,
                "order_hash": self.text(prefix, "d", fill.transaction, 64),
                "shares": fill.shares_micro,
                "shares_normalized": fill.shares_micro / 1e6,
            }
            return order | ({"log_index": fill.number} if feed == "indexed_orders" else {})
        trade = {
            **common,
            "proxy_wallet": self.wallet(prefix, fill.wallet),
            "size": fill.shares_micro / 1e6,
            "transaction_hash": transaction,
        }
        if feed == "trades":
            return trade
        signed = fill.fee_micro if fill.side == "BUY" else -fill.fee_micro
        return {**trade, "type": "TRADE", "usdc_size": (fill.usdc_micro + signed) / 1e6}

    def write(self, prefix: int, history: History) -> Iterator[tuple[int, str, str, pa.Table, pa.Table]]:
        """(load, venue, raw table, rows, walk record) per walk."""
        for number, walk in enumerate(history.walks):
            venue, table = (
                ("dome", ORDERS)
                if "orders" in walk.feed
                else ("polymarket", TRADES if walk.feed == "trades" else ACTIVITY)
            )
            fills = seen_by(history, walk)
            rows = [msgspec.Raw(json.dumps(self.row(prefix, walk.feed, fill)).encode()) for fill in fills]
            record = WalkRecord(
                walk_id=f"{prefix}-{number}",
                run_id="run",
                resource=table.name,
                scope=self.wallet(prefix, walk.wallet),
                bound_from=None,
                bound_to=None,
                started_at=NOW,
                ended_at=NOW,
                status="completed" if walk.seen is None else "failed",
                venue_time=NOW,
            )
            yield (
                walk.load,
                venue,
                table.name,
                arrow(table, rows, record.walk_id, walk.written_twice, number),
                record.table(),
            )


def arrow(table: RawTable, rows: Sequence[msgspec.Raw], walk_id: str, twice: bool, order: int) -> pa.Table:
    read = table.table(
        rows, table.keys_of(rows), fetched_at=NOW + timedelta(seconds=order), walk_id=walk_id, first_position=0
    )
    return pa.concat_tables([read, read]) if twice else read


def load(
    warehouse: Path, packages: Sequence[tuple[int, str, str, pa.Table, pa.Table]], committed: Sequence[int]
) -> None:
    """Writes packages the way dlt leaves them: rows first, and the commit's row last."""
    with duckdb.connect(str(warehouse)) as connection:
        for number, venue, name, rows, record in packages:
            schema, load_id = f"raw_{venue}", f"{number}.{venue}"
            connection.execute(f"create schema if not exists {schema}")
            for table, content in ((name, rows), ("walks", record)):
                connection.register("content", content)
                select = f"select *, '{load_id}' as _dlt_load_id from content"
                connection.execute(f"create table if not exists {schema}.{table} as {select} limit 0")
                connection.execute(f"insert into {schema}.{table} by name {select}")
                connection.unregister("content")
        for venue in ("polymarket", "dome"):
            connection.execute(f"create schema if not exists raw_{venue}")
            connection.execute(
                f"create table if not exists raw_{venue}._dlt_loads "
                "(load_id varchar, schema_name varchar, status bigint, inserted_at timestamptz, "
                "schema_version_hash varchar)"
            )
            for position, number in enumerate(committed):
                moment = NOW - timedelta(hours=position)
                connection.execute(
                    f"insert into raw_{venue}._dlt_loads values (?, '{venue}', 0, ?, '')", [f"{number}.{venue}", moment]
                )


def trades_of(warehouse: Path) -> Counter[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        rows = connection.execute(
            "select wallet_address, transaction_hash, token_id, side, shares, usd_value, epoch(timestamp) "
            "from polyomega.trades"
        ).fetchall()
        (distinct,) = connection.execute("select count(distinct id) from polyomega.trades").fetchall()[0]
    assert distinct == len(rows)
    return Counter((*row[:4], Decimal(row[4]).normalize(), Decimal(row[5]).normalize(), int(row[6])) for row in rows)


def expected(universe: Universe, prefix: int, history: History) -> Counter[tuple[Any, ...]]:
    return Counter(
        (
            universe.wallet(prefix, fill.wallet),
            universe.text(prefix, "b", fill.transaction, 64),
            str(10**76 + prefix * 10 + fill.token),
            fill.side,
            (Decimal(fill.shares_micro) / 10**6).normalize(),
            (Decimal(fill.usdc_micro) / 10**6).normalize(),
            fill.timestamp,
        )
        for fill in history.fills
    )


@pytest.fixture
def universe(tmp_path: Path) -> Universe:
    return Universe(make_project(tmp_path))


@settings(max_examples=40 if SOAK else 2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(many=st.lists(histories(), min_size=15, max_size=40))
def test_each_fill_is_counted_once(universe: Universe, many: list[History]) -> None:
    warehouse = universe.project.warehouse
    try:
        for stage in ("first", "second"):
            packages, committed = [], set()
            for prefix, history in enumerate(many):
                early = set(history.commit_order[: history.first_build_after])
                for number, venue, name, rows, record in universe.write(prefix, history):
                    if (number in early) == (stage == "first"):
                        unique = number + 10 * prefix
                        packages.append((unique, venue, name, rows, record))
                        committed.add(unique)
            load(warehouse, packages, sorted(committed, reverse=stage == "second"))
            process = universe.project.dbt(
                "build",
                "--quiet",
                "--exclude-resource-type",
                "test",
                "unit_test",
                "--select",
                "+trades",
                "--vars",
                "price_venues: []",
            )
            assert process.returncode == 0, process.stdout + process.stderr
        truth: Counter[tuple[Any, ...]] = Counter()
        for prefix, history in enumerate(many):
            truth += expected(universe, prefix, history)
        found = trades_of(warehouse)
        assert found == truth, (
            f"missing {list((truth - found).elements())[:3]}, too many {list((found - truth).elements())[:3]}"
        )
    finally:
        warehouse.unlink()
