"""The public tables equal the replica's own ground truth, however the world was read into them."""

from __future__ import annotations

import json
import math
import random
import re
import shutil
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from tests.conftest import BIN, ROOT, make_project
from tests.replica.full_truth import full_truth
from tests.replica.server import RunningReplica, serve
from tests.replica.truth import truth
from tests.replica.units import Row, moment
from tests.replica.world import World, build_world
from tests.warehouse.compare import assert_same_rows
from tests.warehouse.conftest import EXACT, METRICS, RATIOS, SOAK, WITHOUT_TESTS, Warehouse

STEPS = 10 if SOAK else 4
#: The step after which scores are kept, to be made again at the end.
MIDDLE = STEPS // 2
SCORES = ("wallet_scores", "wallet_scores_by_category")
DAY = 86_400
#: Tests of data come with the last build, and after each step in `make soak`.
HALF_HOURLY = ("--selector", "half_hourly", *(() if SOAK else WITHOUT_TESTS))


@pytest.fixture(scope="module")
def world() -> World:
    if SOAK:
        return build_world(seed=21, wallets=500, markets=2000, fills=100_000)
    return build_world(seed=21, wallets=50, markets=220, fills=6000)


@pytest.fixture(scope="module")
def synced_at_once(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with serve(world) as replica:
        warehouse = Warehouse.in_folder(tmp_path_factory.mktemp("at_once"), replica)
        warehouse.sync(wallets=world.wallets)
        warehouse.build(*WITHOUT_TESTS)
        # The markets that conversions reached, and nobody traded, are due now.
        warehouse.sync(wallets=world.wallets)
        warehouse.build()
        yield warehouse


def test_a_full_run_equals_the_truth(world: World, synced_at_once: Warehouse) -> None:
    synced_at_once.assert_equals(truth(world, world.ends_at))


def test_the_daily_curve_equals_the_truth(world: World, synced_at_once: Warehouse) -> None:
    columns = "wallet_address pnl_date pnl_usd income_usd cumulative_pnl_usd drawdown_usd".split()
    assert_same_rows(
        synced_at_once.rows("wallet_daily_pnl"), full_truth(world, world.ends_at).wallet_daily_pnl, columns
    )


def test_positions_agree_with_the_venues_own_to_the_cent(world: World, synced_at_once: Warehouse) -> None:
    rows = [row for row in synced_at_once.rows("pnl_reconciliation") if row["measure"] == "positions"]
    comparable = [row for row in rows if row["is_comparable"]]
    assert len(comparable) > len(rows) / 2 > 10
    # Who gives shares away, which no feed tells, and later redeems their market seems to have redeemed them, too.
    hidden = {
        transfer.wallet
        for transfer in world.transfers
        if transfer.shares_micro < 0
        and any(
            entry.type == "REDEEM"
            and entry.condition_id == transfer.condition_id
            and entry.timestamp > transfer.timestamp
            for entry in world.entries_by_wallet[transfer.wallet]
        )
    }
    seen = [row for row in comparable if row["wallet_address"] not in hidden]
    assert len(seen) > len(rows) / 3
    assert max(abs(row["unexplained_usd"]) for row in seen) < Decimal("0.01")
    # What explains the differences is there to be explained.
    assert any(row["fees_usd"] < -1 for row in comparable)
    given = {transfer.wallet for transfer in world.transfers}
    moved = {row["wallet_address"] for row in comparable if row["transfers_usd"]}
    assert moved and moved <= given
    board = [row for row in synced_at_once.rows("pnl_reconciliation") if row["measure"] == "leaderboard"]
    assert any(row["unredeemed_usd"] < -1 for row in board) and any(row["income_usd"] > 1 for row in board)
    # Positions sold in part are averaged in another way; all else is explained.
    unexplained = sum(abs(row["unexplained_usd"]) for row in board if row["is_comparable"])
    assert unexplained < sum(abs(row["difference_usd"]) for row in board if row["is_comparable"]) / 4


def test_what_scores_tell_beside_omega_equals_the_truth(world: World, synced_at_once: Warehouse) -> None:
    synced_at_once.assert_metrics_equal(full_truth(world, world.ends_at))


def test_no_public_table_holds_a_number_that_stands_for_none(synced_at_once: Warehouse) -> None:
    ratios = synced_at_once.project.query(
        "select table_name, column_name from information_schema.columns "
        "where table_schema = 'polyomega' and data_type in ('DOUBLE', 'FLOAT') order by all"
    )
    unreal = [
        (table, column)
        for table, column in ratios
        if synced_at_once.project.query(f"select 1 from polyomega.{table} where not isfinite({column}) limit 1")
    ]
    assert not unreal
    # The project's own test looks at the same tables.
    sql = (ROOT / "tests" / "singular" / "histories" / "floats_are_numbers.sql").read_text(encoding="utf-8")
    snapshots = {"market_history", "score_history"}
    assert {table for table, _ in ratios} - snapshots == set(re.findall(r"'(\w+)'", sql.split("%}")[0]))


def test_omega_is_the_published_formula_over_the_same_profits(synced_at_once: Warehouse) -> None:
    """Keating and Shadwick's ratio as empyrical and quantstats reckon it: sum of returns above the threshold over the
    sum of those below, undefined where nothing lies below."""
    profits: dict[str, list[float]] = defaultdict(list)
    for market in synced_at_once.rows("wallet_market_pnl"):
        if market["is_scored"]:
            profits[market["wallet_address"]].append(float(market["resolved_pnl"]))
    compared = 0
    for score in synced_at_once.rows("wallet_scores"):
        if score["period"] != "all" or score["omega_ratio"] is None:
            continue
        returns = profits[score["wallet_address"]]
        above = math.fsum(value for value in returns if value > 0)
        below = -math.fsum(value for value in returns if value < 0)
        assert math.isclose(score["omega_ratio"], above / below, rel_tol=1e-9)
        compared += 1
    assert compared > 10


@dataclass
class Steps:
    """What the warehouse said on the way; `cut` are wallets whose histories were cut at first."""

    warehouse: Warehouse
    cut: frozenset[str]
    at_first: list[Row] = field(default_factory=list)
    half_way_at: datetime = moment(0)
    half_way: dict[str, list[Row]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def in_steps(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Steps]:
    """The world read while it happened: every load repeated, wallets in any order, two histories cut at first."""
    shuffled = random.Random(5)
    busiest = sorted(world.wallets, key=lambda wallet: -len(world.fills_by_wallet[wallet]))
    with serve(world, now=world.ends_at - 60 * DAY) as replica:
        warehouse = Warehouse.in_folder(tmp_path_factory.mktemp("in_steps"), replica)
        steps = Steps(warehouse, frozenset(busiest[1:3]))
        for step in range(STEPS):
            now = world.ends_at - (STEPS - 1 - step) * 6 * DAY
            replica.clock.set(now)
            wallets = shuffled.sample(list(world.wallets), len(world.wallets))
            if step == 0:
                sync_with_cut_histories(warehouse, replica, wallets, *steps.cut, since=now - 30 * DAY)
            else:
                warehouse.sync(wallets=wallets)
                warehouse.sync(wallets=reversed(wallets))
            warehouse.build(*(HALF_HOURLY if step else WITHOUT_TESTS))
            if step == 0:
                steps.at_first = warehouse.rows("wallet_scores")
            if step == MIDDLE:
                # The markets that conversions reached are due now.
                warehouse.sync(wallets=wallets)
                warehouse.build(*HALF_HOURLY)
                steps.half_way_at = moment(now)
                steps.half_way = {table: warehouse.rows(table) for table in SCORES}
        warehouse.sync(wallets=wallets)
        warehouse.build()
        yield steps


def sync_with_cut_histories(
    warehouse: Warehouse, replica: RunningReplica, wallets: list[str], struck: str, short: str, *, since: int
) -> None:
    """The ledger of `struck` fails on the way, and `short` is read from `since` on."""
    replica.faults.add("error", "/v2/activity", query={"user": struck}, status=503)
    warehouse.sync("--since", moment(since).isoformat(), wallets=[short])
    warehouse.sync(wallets=[wallet for wallet in wallets if wallet != short], code=1)
    replica.faults.clear()


def test_ten_steps_in_any_order_with_every_load_repeated_give_the_same_tables(
    world: World, synced_at_once: Warehouse, in_steps: Steps
) -> None:
    warehouse = in_steps.warehouse
    warehouse.assert_equals(truth(world, world.ends_at))
    for table in EXACT:
        columns = comparable(table)
        stepped, at_once = warehouse.rows(table, columns), synced_at_once.rows(table, columns)
        assert sorted(map(repr, stepped)) == sorted(map(repr, at_once)), table


def test_a_market_of_five_minutes_between_two_runs_has_its_trades_category_and_resolution(
    world: World, in_steps: Steps
) -> None:
    steps = [world.ends_at - (STEPS - 1 - step) * 6 * DAY for step in range(STEPS)]
    lived = {
        condition
        for condition, market in world.markets.items()
        if market.listed
        and market.closes_at - market.opens_at == 300
        and market.resolved_at
        # After the first run and before another, which read it when all was over.
        and any(before < market.created_at and market.resolved_at < after for before, after in pairwise(steps))
    }
    traded = lived & {row["condition_id"] for row in in_steps.warehouse.rows("trades", "condition_id")}
    assert traded
    rows = {row["market_id"]: row for row in in_steps.warehouse.rows("markets") if row["market_id"] in traded}
    assert rows.keys() == traded
    assert {(row["status"], row["category"]) for row in rows.values()} == {("resolved", "Crypto")}
    assert all(row["winning_outcome"] and row["resolved_at"] for row in rows.values())


def test_a_history_that_was_cut_has_no_score_until_it_is_whole(in_steps: Steps) -> None:
    withheld = [row for row in in_steps.at_first if row["withheld_reason"] == "history_incomplete"]
    assert {row["wallet_address"] for row in withheld} == in_steps.cut
    assert {row["omega_status"] for row in withheld} == {"withheld"}
    hidden = {*RATIOS.split(), *METRICS.split(), "rank"} - {"effective_markets"}
    assert {row[ratio] for row in withheld for ratio in hidden} == {None}
    # Sums were there to make a ratio of.
    assert all(any(row["losses"] for row in withheld if row["wallet_address"] == wallet) for wallet in in_steps.cut)
    scored = [row for row in in_steps.warehouse.rows("wallet_scores") if row["wallet_address"] in in_steps.cut]
    assert {row["withheld_reason"] for row in scored} == {None}
    assert all(row["omega_ratio"] for row in scored if row["period"] == "all")


def test_no_score_of_an_earlier_moment_ever_changes(world: World, in_steps: Steps) -> None:
    """What was said half way is said again when everything that came later is known, too."""
    warehouse, cut = in_steps.warehouse, int(in_steps.half_way_at.timestamp())
    rows = [*world.fills, *world.entries]
    assert not any(row.timestamp <= cut < row.visible_at for row in rows), "a late row would rightly change them"
    assert sum(row.timestamp > cut for row in rows) > 500
    kept = warehouse.rows("score_history")
    last_day = moment(world.ends_at).date()
    now = {table: warehouse.rows(table) for table in SCORES}
    scored = sum(row["omega_status"] != "no_resolved" for rows in now.values() for row in rows)
    assert sum(row["score_day"].date() == last_day for row in kept) == scored
    # The other day on which a whole build was made.
    assert {row["score_day"].date() for row in kept} - {last_day} == {
        moment(world.ends_at - (STEPS - 1) * 6 * DAY).date()
    }
    warehouse.build("--vars", json.dumps({"as_of": in_steps.half_way_at.isoformat()}), *WITHOUT_TESTS)
    for table in SCORES:
        said = {repr(row) for row in in_steps.half_way[table]}
        again = {repr(row) for row in warehouse.rows(table)}
        assert said == again, f"{len(said - again)} of {len(said)} rows of {table} changed"
        assert said != {repr(row) for row in now[table]}
    # The history holds what was said on each day, and not what would be said of it today.
    assert warehouse.rows("score_history") == kept


def comparable(table: str) -> str:
    """All columns that tell of the world and not of when and how it was read."""
    names = EXACT[table].split() + (RATIOS.split() if table.startswith("wallet_scores") else [])
    return ", ".join(["id", *names] if table == "trades" else names)


def test_runs_killed_at_any_moment_lose_nothing_and_double_nothing(world: World, tmp_path: Path) -> None:
    kills = 30 if SOAK else 2
    moments = random.Random(3)
    with serve(world) as replica:
        warehouse = Warehouse.in_folder(tmp_path, replica)
        # Small packages, so that a kill can meet any of them in any state.
        warehouse.project.environment["SOURCES__POLYMARKET__WALKS_PER_LOAD"] = "10"
        listing = tmp_path / "wallets.txt"
        listing.write_text("\n".join(world.wallets))
        for _ in range(kills):
            process = subprocess.Popen(
                [str(BIN / "dlt"), "pipeline", "run", "--wallets", str(listing)],
                cwd=ROOT,
                env=warehouse.project.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(moments.uniform(1.5, 6.0))
            process.kill()
            process.wait()
        for _ in range(2):
            # Markets that only conversions reached are known to be due after a build.
            warehouse.sync(wallets=world.wallets)
            warehouse.build(*WITHOUT_TESTS)
    warehouse.assert_equals(truth(world, world.ends_at))


def test_a_new_rule_scores_old_trades_anew_and_writes_none(synced_at_once: Warehouse, tmp_path: Path) -> None:
    """A rule, and an override for one event, on a copy of a warehouse that is built."""
    warehouse = Warehouse(make_project(tmp_path))
    copy = shutil.copy(synced_at_once.project.warehouse, warehouse.project.warehouse)
    markets = {row["market_id"]: row for row in warehouse.rows("markets")}
    scored = [row for row in warehouse.rows("wallet_market_pnl") if row["is_scored"]]
    (event, _), *_ = Counter(row["event_slug"] for row in scored).most_common(1)
    tag = "nba"
    tagged = {one for one, row in markets.items() if tag in row["tags"].split(",")}
    before = {row["source"]: row for row in warehouse.rows("category_coverage")}
    with duckdb.connect(copy) as connection:
        written = connection.execute("select rowid, * from polyomega.trades order by rowid").fetchall()
        connection.execute(
            f"update polyomega_intermediate.category_rules set category = 'World', priority = 1 where tag = '{tag}';"
            "insert into polyomega_intermediate.category_overrides "
            f"values ('polymarket', 'event', '{event}', 'Mentions', 'a test')"
        )
    warehouse.build(*HALF_HOURLY)
    with duckdb.connect(copy, read_only=True) as connection:
        assert connection.execute("select rowid, * from polyomega.trades order by rowid").fetchall() == written

    def category(row: Row) -> str:
        overridden = "Mentions" if row["event_slug"] == event else None
        return overridden or ("World" if row["market_id"] in tagged else str(row["category"]))

    pnl = {(row["wallet_address"], row["market_id"]): row for row in warehouse.rows("wallet_market_pnl")}
    moved = [row for row in scored if category(row) != row["category"]]
    assert {category(row) for row in moved} == {"Mentions", "World"}
    assert all(pnl[row["wallet_address"], row["market_id"]]["category"] == category(row) for row in scored)
    gains: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in scored:
        gains[row["wallet_address"], category(row)] += max(row["resolved_pnl"], Decimal(0))
    scores = [row for row in warehouse.rows("wallet_scores_by_category") if row["period"] == "all"]
    assert {
        (row["wallet_address"], row["category"]): row["total_gains"] for row in scores if row["resolved_markets"]
    } == {key: gain for key, gain in gains.items()}
    rules = {row["market_id"]: (row["category_rule_type"], row["category_tag"]) for row in warehouse.rows("markets")}
    assert {rules[one] for one, row in markets.items() if row["event_slug"] == event} == {("event_override", event)}
    assert {rules[one] for one in tagged if markets[one]["event_slug"] != event} == {("tag", tag)}
    after = {row["source"]: row for row in warehouse.rows("category_coverage")}
    assert all(after[source]["rules_version"] != row["rules_version"] for source, row in before.items())
