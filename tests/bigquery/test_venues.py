"""Venues of prices on BigQuery: the same public tables as on DuckDB, matches and prices among them, after a full build
and after an increment, which reads the days of its own loads alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from tests.bigquery.emulator.running import Emulator
from tests.bigquery.records import RAW_READ, SINCE, batches, merges, stretches
from tests.bigquery.twins import WITHOUT_TESTS, WITHOUT_UNIT_TESTS, Twins
from tests.bigquery.warehouse import BigQueryWarehouse
from tests.replica.server import RunningReplica, serve
from tests.replica.venues import betfair, kalshi, predictit, smarkets
from tests.warehouse.conftest import SOAK
from tests.warehouse.venues import (
    BETFAIR,
    DAY,
    EARLY,
    KALSHI,
    NOW,
    POLYMARKET,
    PREDICTIT,
    SMARKETS,
    fetch,
    moment,
    pointed_at,
)

pytestmark = pytest.mark.skipif(not SOAK, reason="minutes of building: make soak")

VENUES = ("kalshi", "predictit", "smarkets", "betfair")
WITHOUT_SEEDS = (*WITHOUT_TESTS, "seed")


@pytest.fixture(scope="module")
def replica() -> Iterator[RunningReplica]:
    mounts = (
        kalshi.mount(kalshi.Synthetic(KALSHI)),
        predictit.mount(PREDICTIT),
        smarkets.mount(SMARKETS, smarkets.Manners(limit=100_000)),
        betfair.mount(BETFAIR),
    )
    with serve(POLYMARKET, EARLY, mounts=mounts) as running:
        yield running


@pytest.fixture(scope="module")
def twins(emulator: Emulator, replica: RunningReplica, tmp_path_factory: pytest.TempPathFactory) -> Twins:
    on_bigquery = BigQueryWarehouse.on(emulator, tmp_path_factory.mktemp("bigquery"), replica)
    on_duckdb = pointed_at(tmp_path_factory.mktemp("duckdb"), replica)
    on_bigquery.project.environment.update(
        {name: text for name, text in on_duckdb.project.environment.items() if name.startswith("SOURCES__")}
    )
    return Twins(on_bigquery, on_duckdb, VENUES)


def read_everything(twins: Twins, *kalshis: str) -> None:
    twins.bigquery.sync(wallets=POLYMARKET.wallets)
    for venue in VENUES:
        fetch(twins.bigquery, venue, *(kalshis if venue == "kalshi" else ()))


@pytest.mark.timeout(3000)
def test_after_a_full_build(twins: Twins) -> None:
    read_everything(twins, "--from", moment(EARLY - 10 * DAY).isoformat())
    twins.build(*WITHOUT_UNIT_TESTS)
    twins.assert_same()
    for table in ("price_snapshots", "contracts", "markets"):
        assert {row["venue"] for row in twins.bigquery.rows(table, "venue")} == {*VENUES, "polymarket"}, table
    assert twins.bigquery.rows("market_match_proposals")


def confirm_proposals(twins: Twins) -> None:
    """As somebody does who writes them into the seed, each contract into one match."""
    matched: set[str] = set()
    rows = []
    for proposal in sorted(twins.bigquery.rows("market_match_proposals"), key=lambda row: row["left_contract_id"]):
        pair = {proposal["left_contract_id"], proposal["right_contract_id"]}
        if matched.isdisjoint(pair):
            rows += [f"('m{len(matched)}', '{name}', false, null)" for name in sorted(pair)]
            matched |= pair
    confirm = f"insert into polyomega.market_matches values {', '.join(rows)}"
    twins.bigquery.query(confirm)
    with duckdb.connect(twins.duckdb.project.warehouse) as file:
        file.execute(confirm)


@pytest.mark.timeout(3000)
def test_after_an_increment_which_reads_its_own_days_alone(twins: Twins, replica: RunningReplica) -> None:
    before_rows = {table: len(twins.bigquery.rows(table)) for table in ("price_snapshots", "trades")}
    before = len(twins.bigquery.emulator.jobs())
    replica.clock.set(NOW)
    read_everything(twins)
    confirm_proposals(twins)
    twins.build(*WITHOUT_SEEDS, on_duckdb=WITHOUT_SEEDS)
    twins.assert_same()
    assert all(len(twins.bigquery.rows(table)) > rows for table, rows in before_rows.items())
    assert twins.bigquery.rows("matched_prices")

    jobs = twins.bigquery.emulator.jobs()[before:]
    read = batches(jobs)
    days = {model: SINCE.findall(sql) for model, sql in read.items()}
    places = {model: len(RAW_READ.findall(sql)) for model, sql in read.items()}
    # Others read walks by way of a view that is none of staging's.
    assert [model for model, count in places.items() if len(days[model]) < count] == []
    since = (datetime.now(UTC).date() - timedelta(days=2)).isoformat()
    assert all(day >= since for found in days.values() for day in found)
    assert {model for model, count in places.items() if count} >= {
        "price_snapshots",
        "trades",
        "int_kalshi_listed_markets",
        "int_kalshi_listed_events",
        "int_kalshi_series",
        "int_predictit_listed_markets",
        "int_predictit_listed_contracts",
        "int_smarkets_latest",
        "int_betfair_latest",
    }
    # Of what it has, the months of its rows.
    assert stretches(read["price_snapshots"]).keys() == {"known.snapshot_time"}
    assert "known.timestamp" in stretches(read["trades"])
    assert stretches(merges(jobs)["price_snapshots"].split(" on ", 1)[1]).keys() == {"DBT_INTERNAL_DEST.snapshot_time"}
