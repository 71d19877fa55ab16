"""The public tables equal the replica's own ground truth, however the world was read into them."""

from __future__ import annotations

import math
import random
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.conftest import BIN, ROOT
from tests.replica.full_truth import full_truth
from tests.replica.server import serve
from tests.replica.truth import truth
from tests.replica.world import World, build_world
from tests.warehouse.compare import assert_same_rows
from tests.warehouse.conftest import EXACT, RATIOS, SOAK, Warehouse

STEPS = 10
DAY = 86_400
HALF_HOURLY = ("--selector", "half_hourly")
WITHOUT_TESTS = ("--exclude-resource-type", "test", "unit_test")


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
    assert max(abs(row["unexplained_usd"]) for row in comparable) < Decimal("0.01")
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


def test_no_score_holds_a_number_that_stands_for_none(synced_at_once: Warehouse) -> None:
    for table in ("wallet_scores_by_category", "wallet_scores"):
        for row in synced_at_once.rows(table):
            numbers = {name: value for name, value in row.items() if isinstance(value, float | Decimal)}
            assert all(math.isfinite(value) for value in numbers.values()), row


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


def test_ten_steps_in_any_order_with_every_load_repeated_give_the_same_tables(
    world: World, synced_at_once: Warehouse, tmp_path: Path
) -> None:
    shuffled = random.Random(5)
    with serve(world, now=world.ends_at - 60 * DAY) as replica:
        warehouse = Warehouse.in_folder(tmp_path, replica)
        for step in range(STEPS):
            replica.clock.set(world.ends_at - (STEPS - 1 - step) * 6 * DAY)
            wallets = shuffled.sample(list(world.wallets), len(world.wallets))
            warehouse.sync(wallets=wallets)
            warehouse.sync(wallets=reversed(wallets))
            warehouse.build(*(HALF_HOURLY if step else WITHOUT_TESTS))
        warehouse.sync(wallets=wallets)
        warehouse.build()
    warehouse.assert_equals(truth(world, world.ends_at))
    for table in EXACT:
        columns = comparable(table)
        in_steps, at_once = warehouse.rows(table, columns), synced_at_once.rows(table, columns)
        assert sorted(map(repr, in_steps)) == sorted(map(repr, at_once)), table


def comparable(table: str) -> str:
    """All columns that tell of the world and not of when and how it was read."""
    names = EXACT[table].split() + (RATIOS.split() if table.startswith("wallet_scores") else [])
    return ", ".join(["id", *names] if table == "trades" else names)


def test_runs_killed_at_any_moment_lose_nothing_and_double_nothing(world: World, tmp_path: Path) -> None:
    kills = 30 if SOAK else 6
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
        for arguments in (WITHOUT_TESTS, ()):
            warehouse.sync(wallets=world.wallets)
            warehouse.build(*arguments)
    warehouse.assert_equals(truth(world, world.ends_at))
