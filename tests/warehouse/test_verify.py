"""`dlt pipeline verify` finds what is planted, and nothing else: differences to the venue's own answers."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import Project
from tests.replica.model import Fill
from tests.replica.server import RunningReplica, serve
from tests.replica.world import World, build_world
from tests.warehouse.conftest import WITHOUT_TESTS, Warehouse, checked

DAY = 86_400
DUST_MICRO = 10_000
Kinds = Counter[tuple[str, str]]


def verify(warehouse: Warehouse, *arguments: str, code: int, venue: str = "polymarket") -> dict[str, Any]:
    process = warehouse.project.dlt(venue, "verify", "--json", *arguments)
    checked(process, code)
    document: dict[str, Any] = json.loads(process.stdout)
    return document


def found(document: dict[str, Any]) -> Kinds:
    return Counter((finding["kind"], finding["scope"]) for finding in document["findings"])


class Planter:
    """Spoils a built warehouse, a wallet or market at a time, and remembers what should be found."""

    def __init__(self, warehouse: Warehouse, wallets: list[str]) -> None:
        self.warehouse = warehouse
        self.expected: Kinds = Counter()
        self._wallets = iter(wallets)

    def sql(self, statement: str) -> list[Any]:
        with duckdb.connect(self.warehouse.project.warehouse) as connection:
            return connection.execute(statement).fetchall()

    def wallet(self, *kinds: str) -> str:
        """A wallet that nothing was done to yet; `kinds` are what will be found of it."""
        wallet = next(self._wallets)
        self.expected.update((kind, wallet) for kind in kinds)
        return wallet

    def market(self, where: str, kind: str) -> str:
        traded = self.sql(
            f"select market_id from polyomega.markets where {where} and market_id in"
            " (select condition_id from polyomega.trades) order by market_id"
        )
        spoilt = {scope for _, scope in self.expected}
        market_id = next(str(row[0]) for row in traded if row[0] not in spoilt)
        self.expected[kind, market_id] += 1
        return market_id

    def single_fills(self, wallet: str) -> list[str]:
        """Ids of fills that stand alone in their transaction, oldest first; all fills of a second are left out."""
        rows = self.sql(
            "select any_value(id) from polyomega.trades where wallet_address = "
            f"'{wallet}' group by transaction_hash having count(*) = 1 order by min(timestamp), 1"
        )
        return [row[0] for row in rows]


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(seed=51, wallets=60, markets=90, fills=5000)


@pytest.fixture(scope="module")
def replica(world: World) -> Iterator[RunningReplica]:
    with serve(world, now=world.ends_at - 20 * DAY) as running:
        yield running


@dataclass(frozen=True)
class Fleet:
    """A built warehouse, and wallets by what happened while they were fetched; `others` are whole."""

    warehouse: Warehouse
    lied_to: str
    half_lied_to: str
    cut_short: str
    broken: str
    late_known: str
    others: list[str]

    def copy(self, folder: Path) -> Warehouse:
        """The same on a file of its own, to be spoilt."""
        file = folder / "warehouse.duckdb"
        shutil.copy(self.warehouse.project.warehouse, file)
        environment = self.warehouse.project.environment | {"DESTINATION__DUCKDB__CREDENTIALS": str(file)}
        return Warehouse(Project(folder, environment))


@pytest.fixture(scope="module")
def fleet(world: World, replica: RunningReplica, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    wallets = sorted(world.wallets, key=lambda wallet: (-weight(world, wallet), wallet))
    warehouse = Warehouse.in_folder(tmp_path_factory.mktemp("fleet"), replica)
    fleet = Fleet(warehouse, *wallets[:5], others=wallets[5:])
    # A venue that says there is nothing, one that fails, and a history with no beginning.
    replica.faults.add("empty", "/v2/(trades|activity)", query={"user": fleet.lied_to})
    replica.faults.add("empty", "/v2/activity", query={"user": fleet.half_lied_to})
    replica.faults.add("html", "/v2/(trades|activity)", query={"user": fleet.broken})
    warehouse.sync(wallets=[*fleet.others, fleet.lied_to, fleet.half_lied_to, fleet.broken], code=1)
    times = sorted(fill.timestamp for fill in fills(world, fleet.cut_short))
    middle = datetime.fromtimestamp(times[len(times) // 2], UTC)
    warehouse.sync("--since", middle.isoformat(), wallets=[fleet.cut_short])
    replica.faults.clear()
    warehouse.build(*WITHOUT_TESTS)
    # Read since the last build: due, not missing.
    warehouse.sync(wallets=[fleet.late_known])
    return fleet


def weight(world: World, wallet: str) -> int:
    return min(len(fills(world, wallet)), 3 * len(world.entries_by_wallet[wallet]))


def fills(world: World, wallet: str) -> list[Fill]:
    return [fill for fill in world.fills_by_wallet[wallet] if fill.visible_at <= world.ends_at - 20 * DAY]


def test_rows_newer_than_the_last_sync_are_no_gaps(world: World, replica: RunningReplica, fleet: Fleet) -> None:
    requests = replica.requests.total
    walks = fleet.warehouse.project.query("select count(*) from raw_polymarket.walks")
    replica.clock.set(world.ends_at)
    try:
        document = verify(fleet.warehouse, "--wallets", ",".join([*fleet.others, fleet.late_known]), code=0)
    finally:
        replica.clock.set(world.ends_at - 20 * DAY)
    assert document["clean"] is True and document["asked"]["wallets"] == len(fleet.others) + 1
    # It told that by asking, and loaded nothing.
    assert replica.requests.total - requests == document["asked"]["requests"] > 2 * len(fleet.others)
    assert sum(fill.timestamp > world.ends_at - 20 * DAY for fill in world.fills) > 100
    assert fleet.warehouse.project.query("select count(*) from raw_polymarket.walks") == walks


def test_a_range_is_asked_for_alone_and_no_answer_is_no_finding(
    world: World, replica: RunningReplica, fleet: Fleet, tmp_path: Path
) -> None:
    warehouse = fleet.copy(tmp_path)
    start, stop = (datetime.fromtimestamp(world.ends_at - days * DAY, UTC).date().isoformat() for days in (60, 40))
    wallet, silent = fleet.others[0], fleet.others[1]
    with duckdb.connect(warehouse.project.warehouse) as connection:
        lost = f"wallet_address = '{wallet}' and timestamp >= '{start}' and timestamp < '{stop}'"
        connection.execute(f"delete from polyomega.trades where {lost}")
    replica.faults.add("html", "/v2/trades", query={"user": silent})
    try:
        document = verify(warehouse, "--from", start, "--to", stop, "--wallets", f"{wallet},{silent}", code=1)
    finally:
        replica.faults.clear()
    [finding] = document["findings"]
    assert (finding["kind"], finding["scope"]) == ("missing_wallet", wallet)
    assert start <= finding["first_at"] < finding["last_at"] < stop
    assert finding["what_to_do"].startswith(f"dlt pipeline polymarket run --wallets {wallet} --since {start[:7]}")
    assert list(document["unanswered"]) == [silent] and "without JSON" in document["unanswered"][silent]
    shown = checked(warehouse.project.dlt("verify", "--wallets", wallet), 1)
    assert f"missing_window {wallet}" in shown and "Found 1 missing_window" in shown


def test_what_the_warehouse_knows_itself_needs_no_request(replica: RunningReplica, fleet: Fleet) -> None:
    before = replica.requests.total
    document = verify(fleet.warehouse, "--gaps-only", "--checkpoints", code=1)
    assert found(document) == {
        ("truncated_walk", fleet.broken): 2,
        ("hole", fleet.cut_short): 2,
        ("failed_wallet", fleet.broken): 1,
    }
    assert "without JSON" in document["findings"][0]["detail"]
    assert replica.requests.total == before


def test_each_planted_gap_is_found_and_no_other(
    world: World, replica: RunningReplica, fleet: Fleet, tmp_path: Path
) -> None:
    planter = Planter(fleet.copy(tmp_path), fleet.others)
    planter.expected.update(
        {
            ("missing_wallet", fleet.lied_to): 1,
            ("truncated_history", fleet.lied_to): 1,
            ("truncated_history", fleet.half_lied_to): 1,
            # Dust stands in the ledger alone.
            ("missing_rows", fleet.half_lied_to): sum(
                fill.shares_micro < DUST_MICRO for fill in fills(world, fleet.half_lied_to)
            ),
            ("missing_wallet", fleet.broken): 1,
            ("truncated_history", fleet.broken): 1,
            ("truncated_history", fleet.cut_short): 2,
        }
    )
    plant(planter)
    assert sum(planter.expected.values()) > 25
    document = verify(planter.warehouse, "--sample", "1000", code=1)
    got = found(document)
    false = [one for one in document["findings"] if (one["kind"], one["scope"]) in got - planter.expected]
    assert got == planter.expected, f"not found: {planter.expected - got}\nfalse: {false}"
    assert document["unanswered"] == {}


def test_dome_is_asked_again_too(world: World, replica: RunningReplica, tmp_path: Path) -> None:
    """Its fills, its ledger and its markets, where it is the only source."""
    wallets = sorted(world.wallets, key=lambda wallet: (-weight(world, wallet), wallet))[:6]
    warehouse = Warehouse.in_folder(tmp_path, replica)
    warehouse.sync("dome", wallets=wallets)
    warehouse.build("--select", "+wallet_coverage", "+markets", *WITHOUT_TESTS)
    assert {row["source"] for row in warehouse.rows("markets", "source")} == {"dome"}
    whole = verify(warehouse, code=0, venue="dome")
    assert whole["clean"] is True and whole["asked"]["wallets"] == len(wallets)
    assert whole["asked"]["markets"] > 20

    planter = Planter(warehouse, wallets)
    wallet = planter.wallet("missing_rows")
    planter.sql(f"delete from polyomega.trades where id = '{planter.single_fills(wallet)[3]}'")
    wallet = planter.wallet("duplicated_rows")
    planter.sql(
        "insert into polyomega.trades select * replace (md5(id) as id) from polyomega.trades"
        f" where id = '{planter.single_fills(wallet)[2]}'"
    )
    wallet = planter.wallet("missing_wallet")
    planter.sql(f"delete from polyomega.trades where wallet_address = '{wallet}'")
    for where, kind, change in (
        ("status = 'resolved'", "stale_market", "status = 'open', closed = false"),
        ("status = 'resolved'", "stale_market", "status = 'closed'"),
        ("winning_outcome is not null", "different_market", "winning_outcome = 'Neither'"),
        ("status = 'open'", "different_market", "status = 'closed', closed = true"),
    ):
        market = planter.market(where, kind)
        planter.sql(f"update polyomega.markets set {change} where market_id = '{market}'")
    market = planter.market("status = 'resolved'", "missing_market")
    planter.sql(f"delete from polyomega.markets where market_id = '{market}'")
    assert found(verify(warehouse, code=1, venue="dome")) == planter.expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "2026-01-02", "--to", "2026-01-01"], "--from must be before --to"),
        (["--wallets", "0x" + "12" * 20], "is not among the wallets of the warehouse"),
    ],
)
def test_a_mistake_is_one_clear_message(fleet: Fleet, arguments: list[str], message: str) -> None:
    process = fleet.warehouse.project.dlt("polymarket", "verify", *arguments)
    assert process.returncode == 2
    assert message in " ".join(process.stderr.split()) and "Traceback" not in process.stderr


def plant(planter: Planter) -> None:
    """One damage per wallet or market, straight in the tables that dbt built."""
    sql = planter.sql

    wallet = planter.wallet("missing_rows")
    sql(f"delete from polyomega.trades where id = '{planter.single_fills(wallet)[3]}'")

    wallet = planter.wallet("missing_window")
    fills = sql(f"select distinct timestamp from polyomega.trades where wallet_address = '{wallet}' order by 1")
    first, last = fills[len(fills) // 3][0], fills[2 * len(fills) // 3][0]
    sql(f"delete from polyomega.trades where wallet_address = '{wallet}' and timestamp between '{first}' and '{last}'")

    wallet = planter.wallet("truncated_history")
    [(middle,)] = sql(f"select median(timestamp) from polyomega.trades where wallet_address = '{wallet}'")
    sql(f"delete from polyomega.trades where wallet_address = '{wallet}' and timestamp < '{middle}'")

    wallet = planter.wallet("missing_wallet")
    sql(f"delete from polyomega.trades where wallet_address = '{wallet}'")

    wallet = planter.wallet("missing_rows", "missing_rows")
    ids = planter.single_fills(wallet)
    sql(f"delete from polyomega.trades where id in ('{ids[0]}', '{ids[-1]}')")

    for count in (1, None):
        wallet = planter.wallet("duplicated_rows")
        some = f"and id = '{planter.single_fills(wallet)[2]}'" if count else ""
        sql(
            "insert into polyomega.trades select * replace (md5(id) as id) from polyomega.trades"
            f" where wallet_address = '{wallet}' {some}"
        )

    wallet = planter.wallet("unknown_rows")
    sql(
        "insert into polyomega.trades select * replace (md5(id) as id, '0xfeed' as transaction_hash)"
        f" from polyomega.trades where id = '{planter.single_fills(wallet)[4]}'"
    )

    for change in (
        "price = price / 2",
        "shares = shares + 1",
        "shares = shares - 0.001",
        "timestamp = timestamp + interval 1 hour",
    ):
        wallet = planter.wallet("different_rows")
        sql(f"update polyomega.trades set {change} where id = '{planter.single_fills(wallet)[5]}'")

    wallet = planter.wallet("missing_rows", "unknown_rows")
    sql(
        "update polyomega.trades set side = case side when 'BUY' then 'SELL' else 'BUY' end"
        f" where id = '{planter.single_fills(wallet)[1]}'"
    )

    giver, taker = planter.wallet("missing_rows"), planter.wallet("unknown_rows")
    sql(f"update polyomega.trades set wallet_address = '{taker}' where id = '{planter.single_fills(giver)[2]}'")

    ledger = "polyomega_intermediate.int_source_entries"
    entries = "where wallet_address = '{}' and source = 'polymarket_activity' and entry_type != 'TRADE'"

    def single_entries(wallet: str) -> list[str]:
        rows = sql(
            f"select any_value(entry_key) from {ledger} {entries.format(wallet)}"
            " group by transaction_hash, entry_type, condition_id having count(*) = 1 order by min(traded_at), 1"
        )
        return [row[0] for row in rows]

    wallet = planter.wallet("missing_rows")
    sql(f"delete from {ledger} where entry_key = '{single_entries(wallet)[1]}'")

    wallet = planter.wallet("duplicated_rows")
    sql(
        f"insert into {ledger} select * replace (2 as occurrence) from {ledger}"
        f" where entry_key = '{single_entries(wallet)[1]}'"
    )

    wallet = planter.wallet("different_rows")
    sql(f"update {ledger} set shares = shares + 5 where entry_key = '{single_entries(wallet)[0]}'")

    markets = "polyomega.markets"
    market = planter.market("status = 'resolved'", "missing_market")
    sql(f"delete from {markets} where market_id = '{market}'")
    market = planter.market("status = 'resolved'", "stale_market")
    sql(f"update {markets} set status = 'open', closed = false where market_id = '{market}'")
    market = planter.market(
        "status = 'resolved' and market_id in (select condition_id from"
        " polyomega_intermediate.int_polymarket_markets where uma_status = 'resolved')",
        "stale_market",
    )
    sql(f"update {markets} set status = 'closed' where market_id = '{market}'")
    market = planter.market("status = 'open'", "different_market")
    sql(f"update {markets} set status = 'closed', closed = true where market_id = '{market}'")
    market = planter.market(
        "winning_outcome is not null and market_id in (select condition_id from"
        " polyomega_intermediate.int_polymarket_markets where uma_status = 'resolved')",
        "different_market",
    )
    sql(f"update {markets} set winning_outcome = 'Neither' where market_id = '{market}'")
    market = planter.market("status = 'resolved' and winning_outcome is not null", "duplicated_market")
    sql(f"insert into {markets} select * from {markets} where market_id = '{market}'")
