"""What becomes of the venues' answers when they are loaded as they come, and types are left to be inferred."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dlt
import msgspec
import pyarrow as pa
import pytest

from extract.betfair.settings import BOOKS
from extract.kalshi.settings import MARKETS as KALSHI_MARKETS
from extract.predictit.settings import CONTRACTS
from extract.raw import RawTable
from extract.smarkets.settings import QUOTES
from tests.replica.venues.betfair import WorldListing
from tests.replica.venues.betfair_world import BetfairWorld
from tests.replica.venues.kalshi_world import KalshiWorld
from tests.replica.venues.predictit import PredictItWorld
from tests.replica.venues.questions import build_questions
from tests.replica.venues.smarkets_world import SmarketsWorld

NOW = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
QUESTIONS = build_questions(seed=5, count=30, ends_at=NOW)


@pytest.fixture(scope="module")
def inferred(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Type by column, by table, as dlt infers them from rows of answers. What a column is its first row decides."""
    smarkets = SmarketsWorld(QUESTIONS, NOW)
    betfair = WorldListing(BetfairWorld(QUESTIONS, NOW))
    books = {c.id: book for m in smarkets.markets for c in m.contracts if (book := smarkets.book(m, c, NOW))}
    kalshi = KalshiWorld(QUESTIONS, NOW)
    feed = PredictItWorld(QUESTIONS, NOW).markets(NOW)
    contracts = [row for market in feed for row in market["contracts"]]
    runners = [runner for _, book in betfair.books(list(betfair.world.by_id), NOW) for runner in book["runners"]]
    levels = [level for runner in runners for level in runner.get("ex", {}).get("availableToBack", [])]
    tables = {
        "contracts": sorted(contracts, key=lambda row: row["lastTradePrice"] != 0),
        "ends": [{"dateEnd": end} for end in sorted(row["dateEnd"] for row in contracts)],
        "markets": feed,
        "quotes": [books],
        "kalshi_markets": [kalshi.market_json(market, NOW) for market in kalshi.markets],
        "levels": sorted(levels, key=lambda level: isinstance(level["price"], float)),
    }
    folder = tmp_path_factory.mktemp("naive")
    pipeline = dlt.pipeline("naive", pipelines_dir=str(folder), destination="duckdb", dataset_name="naive")
    pipeline.extract([dlt.resource(rows, name=name) for name, rows in tables.items()])
    pipeline.normalize()
    return {
        name: {column: hint.get("data_type") for column, hint in table["columns"].items()}
        for name, table in pipeline.default_schema.tables.items()
    }


def test_a_price_that_was_whole_first_gets_two_columns(inferred: dict[str, dict[str, Any]]) -> None:
    contracts, levels = inferred["contracts"], inferred["levels"]
    assert (contracts["last_trade_price"], contracts["last_trade_price__v_double"]) == ("bigint", "double")
    assert (levels["price"], levels["price__v_double"]) == ("bigint", "double")


def test_eastern_time_is_taken_for_utc_and_an_end_that_is_none_gets_a_column(
    inferred: dict[str, dict[str, Any]],
) -> None:
    assert inferred["markets"]["time_stamp"] == "timestamp"
    assert (inferred["ends"]["date_end"], inferred["ends"]["date_end__v_text"]) == ("timestamp", "text")


def test_keys_that_are_names_become_columns_and_tables(inferred: dict[str, dict[str, Any]]) -> None:
    # A table for the bids of each contract, and one for its offers.
    assert len([name for name in inferred if name.startswith("quotes__")]) > 20
    assert len([name for name in inferred["kalshi_markets"] if name.startswith("custom_strike__")]) > 10


@pytest.mark.parametrize("table", [CONTRACTS, QUOTES, KALSHI_MARKETS, BOOKS], ids=lambda table: table.name)
def test_ours_are_texts_of_columns_that_are_known_before(table: RawTable) -> None:
    row = msgspec.Raw(b'{"lastTradePrice": 0, "403538588": {"bids": []}, "custom_strike": {"Andersson": "yes"}}')
    schema = table.table(
        [row], table.keys_of([row]), fetched_at=datetime.now(UTC), walk_id="w", first_position=0
    ).schema
    assert schema.names == [*table.keys, "payload", "fetched_at", "walk_id", "walk_position"]
    assert {schema.field(name).type for name in (*table.keys, "payload")} == {pa.string()}
