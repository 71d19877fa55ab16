"""Kalshi and PredictIt from their APIs to the public tables: every price, status and payout as the replica knows them.

Beside most of it stands what a naive loader would have made of the same answers, and that it is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.replica.server import RunningReplica, serve
from tests.replica.venues import kalshi, predictit
from tests.replica.venues.kalshi_world import KalshiWorld
from tests.replica.venues.predictit import PredictItWorld, Quote
from tests.replica.venues.questions import DAY, HOUR, build_questions
from tests.replica.world import build_world
from tests.warehouse.conftest import Warehouse, checked

SAMPLES = ROOT.parent / "shared" / "samples"
ENDS_AT = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
START = ENDS_AT - 45 * DAY
QUESTIONS = build_questions(seed=5, count=10, ends_at=ENDS_AT)
KALSHI = KalshiWorld(QUESTIONS, ENDS_AT)
PREDICTIT = PredictItWorld(QUESTIONS, ENDS_AT)
#: From the first to the second run: some markets close in it, some are decided.
BETWEEN = 44 * DAY + 12 * HOUR + 20 * 60
#: What a run reads again before the end of the one before it.
OVERLAP = 2 * DAY
CATEGORIES = {"politics": "Politics", "current_affairs": "World", "tv_and_entertainment": "Culture"}
TABLES = (
    "+markets",
    "+contracts",
    "+events",
    "+price_snapshots",
    "+trades",
    "+sync_checkpoints",
    "+daily_sync_checkpoint",
)


def pointed_at(folder: Path, replica: RunningReplica) -> Warehouse:
    warehouse = Warehouse.in_folder(folder, replica)
    warehouse.project.environment.update(
        {
            "SOURCES__KALSHI__BASE_URL": f"{replica.url}/kalshi/trade-api/v2",
            "SOURCES__PREDICTIT__BASE_URL": f"{replica.url}/predictit/api/marketdata",
            "SOURCES__KALSHI__REQUESTS_PER_SECOND": "2000",
            "SOURCES__PREDICTIT__REQUESTS_PER_SECOND": "2000",
            "SOURCES__KALSHI__OVERLAP": str(OVERLAP),
        }
    )
    return warehouse


def fetch(warehouse: Warehouse, venue: str, *arguments: str, code: int = 0) -> str:
    return checked(warehouse.project.dlt(venue, "run", *arguments), code)


def build_tables(warehouse: Warehouse) -> None:
    """The tables that this is about, without tests, which read others as well."""
    checked(warehouse.project.dbt("--quiet", "seed"), 0)
    checked(warehouse.project.dbt("--quiet", "run", "--select", *TABLES), 0)


@dataclass
class Built:
    """A warehouse after two runs of each venue; `read_at` are the real times around each run of PredictIt."""

    warehouse: Warehouse
    read_at: list[tuple[datetime, datetime]]
    printed: list[str]

    def rows(self, table: str, condition: str = "true") -> list[dict[str, Any]]:
        return self.warehouse.rows(f"{table} where {condition}")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    empty = build_world(seed=1, wallets=2, markets=2, fills=10)
    mounts = (kalshi.mount(kalshi.Synthetic(KALSHI)), predictit.mount(PREDICTIT))
    with serve(empty, ENDS_AT, mounts=mounts) as replica:
        warehouse = pointed_at(tmp_path_factory.mktemp("venues"), replica)
        printed = [fetch(warehouse, "kalshi", "--from", datetime.fromtimestamp(START, UTC).isoformat())]
        read_at = [timed(warehouse)]
        build_tables(warehouse)
        replica.clock.advance(BETWEEN)
        printed.append(fetch(warehouse, "kalshi"))
        read_at.append(timed(warehouse))
        checked(warehouse.project.dbt("--quiet", "build", "--exclude-resource-type", "unit_test"), 0)
        yield Built(warehouse, read_at, printed)


def timed(warehouse: Warehouse) -> tuple[datetime, datetime]:
    before = datetime.now(UTC)
    fetch(warehouse, "predictit")
    return before, datetime.now(UTC)


def utc(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC).replace(tzinfo=None)


def mid(bid: Decimal | None, ask: Decimal | None) -> Decimal | None:
    return None if bid is None or ask is None else (bid + ask) / 2


# -- Kalshi


def test_history_is_what_the_venue_gave_for_each_hour_and_nothing_else(built: Built) -> None:
    now = ENDS_AT + BETWEEN
    truth: dict[tuple[str, datetime], tuple[Any, ...]] = {}
    for market in KALSHI.markets:
        for end in market.candle_ends(START, now, 60):
            close = market.candle_close(end)
            trades = market.trades_between(end - HOUR - 1, end - 1)
            last = trades[-1].price if trades else None
            if (close.bid, close.ask, last) != (None, None, None):
                volume = sum((trade.count for trade in trades), Decimal(0))
                truth[f"kalshi:{market.ticker}:yes", utc(end)] = (close.bid, close.ask, last, volume)
    rows = built.rows("price_snapshots", "venue = 'kalshi' and fidelity != 'observed'")
    told = {
        (row["contract_id"], row["snapshot_time"]): (row["bid"], row["ask"], row["last_price"], row["period_volume"])
        for row in rows
    }
    assert len(told) == len(rows)
    assert told == truth
    assert {row["fidelity"] for row in rows} == {"1h"}
    # The trap: a loader that writes today's quotes into past windows is right for hardly any hour.
    today = {market.ticker: market.quote(now) for market in KALSHI.markets}
    naive = {key: today[key[0].split(":")[1]].bid for key in truth}
    assert sum(naive[key] == truth[key][0] for key in truth) < len(truth) / 4


def test_observations_carry_the_moment_at_which_we_looked(built: Built) -> None:
    rows = built.rows("price_snapshots", "venue = 'kalshi' and fidelity = 'observed'")
    real_now = datetime.now(UTC).replace(tzinfo=None)
    assert all(real_now - timedelta(hours=1) < row["snapshot_time"] <= real_now for row in rows)
    assert all(row["snapshot_time"] == row["fetched_at"] for row in rows)
    between = built.read_at[0][0].replace(tzinfo=None)
    one_sided: list[tuple[Any, ...]] = []
    for moment, of_run in (
        (ENDS_AT, [row for row in rows if row["snapshot_time"] < between]),
        (ENDS_AT + BETWEEN, [row for row in rows if row["snapshot_time"] > between]),
    ):
        truth = {}
        for market in KALSHI.markets:
            quote = market.quote(moment)
            if market.status(moment) in ("active", "inactive") and (quote.bid, quote.ask, quote.last) != (None,) * 3:
                mid_price = mid(quote.bid, quote.ask)
                yes = mid_price if mid_price is not None else quote.last
                truth[f"kalshi:{market.ticker}:yes"] = (quote.bid, quote.ask, mid_price, quote.last, yes, quote.volume)
        columns = ("bid", "ask", "mid_price", "last_price", "yes_price", "volume")
        assert {row["contract_id"]: tuple(row[name] for name in columns) for row in of_run} == truth
        assert truth
        one_sided += [values for values in truth.values() if None in values[:2]]
    # Placeholders: taken as they stand, an empty side would be a price of 0 or 1.
    assert one_sided


def test_markets_end_as_they_ended(built: Built) -> None:
    now = ENDS_AT + BETWEEN
    words = {
        "initialized": "upcoming",
        "active": "open",
        "inactive": "suspended",
        "closed": "closed",
        "determined": "closed",
        "finalized": "resolved",
    }
    rows = {row["market_id"]: row for row in built.rows("markets", "venue = 'kalshi'")}
    payouts = {row["contract_id"]: row["payout"] for row in built.rows("contracts", "venue = 'kalshi'")}
    seen = set()
    for market in KALSHI.markets:
        row = rows.pop(f"kalshi:{market.ticker}")
        status = market.status(now)
        seen.add(status)
        assert row["status"] == words[status], market.ticker
        assert row["category"] == CATEGORIES[market.question.topic]
        assert row["event_slug"] == f"kalshi:{market.event_ticker}"
        assert row["volume"] == market.quote(now).volume
        assert row["volume_unit"] == "contracts"
        assert row["condition_id"] is None
        yes = market.payout if status == "finalized" else None
        assert payouts[f"kalshi:{market.ticker}:yes"] == yes
        assert payouts[f"kalshi:{market.ticker}:no"] == (None if yes is None else 1 - yes)
        assert row["winning_outcome"] == {Decimal(1): "Yes", Decimal(0): "No"}.get(yes)
        assert row["resolved_at"] == (utc(market.settles_at) if status == "finalized" else None)
    assert rows == {}
    assert {"active", "finalized", "closed"} <= seen
    # The list's filter has other words than the field: a loader that looks for "open" or "settled" finds nothing.
    assert not {"open", "settled"} & seen


def test_public_trades_have_no_wallet_and_are_each_there_once(built: Built) -> None:
    rows = built.rows("trades", "venue = 'kalshi'")
    truth = {
        trade.id: trade for market in KALSHI.markets for trade in market.trades_between(START - 1, ENDS_AT + BETWEEN)
    }
    assert {row["transaction_hash"] for row in rows} == truth.keys()
    assert len(rows) == len(truth) == len({row["id"] for row in rows})
    for row in rows:
        trade = truth[row["transaction_hash"]]
        assert row["wallet_address"] is None
        assert (row["price"], row["shares"]) == (trade.price, trade.count)
        assert row["usd_value"] == (trade.price * trade.count).quantize(Decimal("0.000001"))
        assert row["side"] == ("BUY" if trade.taker == "yes" else "SELL")
        assert row["market_id"] == f"kalshi:{trade.ticker}"
        assert row["event_slug"] == f"kalshi:{trade.ticker.rsplit('-', 1)[0]}" or row["event_slug"] == row["market_id"]
        moment = utc(trade.at) + timedelta(microseconds=trade.micros)
        assert row["timestamp"] == moment
    # Windows overlap, so that rows were read twice.
    read = built.warehouse.project.query("select count(*) from raw_kalshi.trades")[0][0]
    assert read > len(rows)


def test_events_are_as_listed(built: Built) -> None:
    rows = {row["event_slug"]: row for row in built.rows("events", "venue = 'kalshi'")}
    for place, question in enumerate(QUESTIONS):
        if question.closes_at <= START:
            continue
        row = rows[f"kalshi:{KALSHI.event_ticker(place)}"]
        assert (row["title"], row["category"]) == (question.event, CATEGORIES[question.topic])


def test_checkpoints_cover_the_range_and_go_on(built: Built) -> None:
    rows = built.rows("sync_checkpoints", "source = 'kalshi' and status = 'completed'")
    assert built.rows("sync_checkpoints", "status != 'completed'") == []
    for sync_type in ("trades:all", "candles:60m"):
        windows = sorted((row["window_start"], row["window_end"]) for row in rows if row["sync_type"] == sync_type)
        assert windows[0][0] == utc(START)
        assert windows[-1][1] == utc(ENDS_AT + BETWEEN)
        assert all(left[1] >= right[0] for left, right in zip(windows, windows[1:], strict=False))
        assert utc(ENDS_AT - OVERLAP) in {start for start, _ in windows}
    assert "windows   14 of 14 done" in built.printed[0]


def test_the_same_range_again_reads_no_window_again(built: Built) -> None:
    # Read from the raw tables, so that it needs no build in between.
    arguments = ("--from", utc(START).isoformat(), "--to", utc(ENDS_AT).isoformat(), "--dry-run")
    empty = build_world(seed=1, wallets=2, markets=2, fills=10)
    with serve(empty, ENDS_AT + BETWEEN, mounts=(kalshi.mount(kalshi.Synthetic(KALSHI)),)) as replica:
        url = f"{replica.url}/kalshi/trade-api/v2"
        process = built.warehouse.project.dlt("kalshi", "run", *arguments, SOURCES__KALSHI__BASE_URL=url)
    assert process.returncode == 0, process.stderr
    assert "windows   0 of 0 done, 14 completed before" in process.stdout


def test_status_tells_the_windows(built: Built) -> None:
    process = built.warehouse.project.dlt("kalshi", "status", "--json")
    state = json.loads(checked(process, 0))
    assert [(row["sync_type"], row["status"]) for row in state["windows"]] == [
        ("candles:60m", "completed"),
        ("trades:all", "completed"),
    ]
    assert {row["window_start"] for row in state["windows"]} == {utc(START).isoformat()}
    shown = checked(built.warehouse.project.dlt("kalshi", "status"), 0)
    assert "candles:60m" in shown


def test_runs_of_price_venues_are_runs(built: Built) -> None:
    rows = built.rows("daily_sync_checkpoint", "venue in ('kalshi', 'predictit') order by last_sync_time")
    assert [row["status"] for row in rows] == ["completed"] * 4
    assert rows[0]["trades_added"] > 0
    assert rows[0]["wallets_processed"] == 0


# -- PredictIt


def predictit_truth(moment: int) -> dict[str, Quote]:
    return {
        quote.contract_id: quote
        for quote in PREDICTIT.quotes(moment)
        if (quote.bid, quote.ask, quote.last_price) != (None, None, None)
    }


def test_predictits_quotes_are_stamped_twice(built: Built) -> None:
    rows = built.rows("price_snapshots", "venue = 'predictit'")
    for moment, (before, after) in zip((ENDS_AT, ENDS_AT + BETWEEN), built.read_at, strict=True):
        truth = predictit_truth(moment)
        of_run = [r for r in rows if before <= r["snapshot_time"].replace(tzinfo=UTC) <= after]
        assert {r["contract_id"]: (r["bid"], r["ask"], r["last_price"]) for r in of_run} == {
            name: (quote.bid, quote.ask, quote.last_price) for name, quote in truth.items()
        }
        assert any(quote.last_price is None for quote in truth.values())
        # The first run is in winter, the second after the clocks were changed.
        feed_time = PREDICTIT.feed_time(moment)
        stamp = datetime.fromisoformat(
            "2026-02-28T19:00:00.527044" if moment == ENDS_AT else "2026-04-14T08:20:00.527044"
        )
        hours = 5 if moment == ENDS_AT else 4
        assert {r["venue_time"] for r in of_run} == {stamp + timedelta(hours=hours)}
        assert stamp.replace(microsecond=0) + timedelta(hours=hours) == utc(feed_time)
        # A naive loader takes the text for UTC.
        assert stamp.replace(microsecond=0) != utc(feed_time)
    assert {row["volume"] for row in rows} == {None}


def test_a_market_that_disappears_is_closed_and_stays(built: Built) -> None:
    rows = {row["market_id"]: row for row in built.rows("markets", "venue = 'predictit'")}
    statuses = set()
    for place, question in enumerate(QUESTIONS):
        first, second = (PREDICTIT.is_listed(question, moment) for moment in (ENDS_AT, ENDS_AT + BETWEEN))
        row = rows.pop(f"predictit:{7000 + place}", None)
        if not first and not second:
            assert row is None
            continue
        assert row is not None
        assert row["status"] == ("open" if second else "closed")
        assert (row["category"], row["title"], row["volume_unit"]) == ("Politics", question.title, None)
        statuses.add(row["status"])
        ends = utc(question.closes_at) if place % 3 == 0 else None
        assert row["end_date"] == ends
    assert rows == {} and statuses == {"open", "closed"}


def test_the_one_contract_of_a_market_is_yes(built: Built) -> None:
    contracts = built.rows("contracts", "venue = 'predictit'")
    by_market: dict[str, list[str]] = {}
    for row in sorted(contracts, key=lambda row: (row["market_id"], row["outcome_index"])):
        by_market.setdefault(row["market_id"], []).append(row["outcome"])
    for market_id, outcomes in by_market.items():
        question = QUESTIONS[int(market_id.split(":")[1]) - 7000]
        assert outcomes == (["Yes"] if question.outcomes == ("Yes", "No") else list(question.outcomes))


# -- what venues really said

real = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the real samples are not here")


@real
def test_real_answers_become_the_prices_worked_out_by_hand(tmp_path: Path) -> None:
    now = int(datetime(2026, 6, 12, 18, tzinfo=UTC).timestamp())
    mounts = (
        kalshi.mount(kalshi.Recorded(SAMPLES / "kalshi")),
        predictit.mount(predictit.Recorded(SAMPLES / "predictit" / "marketdata_all.DERIVED.json")),
    )
    empty = build_world(seed=1, wallets=2, markets=2, fills=10)
    with serve(empty, now, mounts=mounts) as replica:
        warehouse = pointed_at(tmp_path, replica)
        fetch(warehouse, "kalshi", "--from", "2026-06-10", "--to", "2026-06-12T18:00:00Z")
        fetch(warehouse, "predictit")
        build_tables(warehouse)
    prices = {
        (row["contract_id"], row["fidelity"], row["snapshot_time"] if row["fidelity"] != "observed" else None): row
        for row in warehouse.rows("price_snapshots")
    }

    def price(contract: str, fidelity: str = "observed", moment: datetime | None = None) -> list[str | None]:
        row = prices[contract, fidelity, moment]
        names = ("bid", "ask", "mid_price", "last_price", "yes_price")
        return [None if row[name] is None else f"{row[name]:.4f}" for name in names]

    # "0.0800" bid for 444.32, "0.1200" asked for 1967.33: (0.08 + 0.12) / 2 = 0.10; last "0.1000".
    assert price("kalshi:KXELONMARS-99:yes") == ["0.0800", "0.1200", "0.1000", "0.1000", "0.1000"]
    # Tenths of a cent: (0.163 + 0.195) / 2 = 0.179; last "0.1950".
    assert price("kalshi:KXCOLONIZEMARS-50:yes") == ["0.1630", "0.1950", "0.1790", "0.1950", "0.1790"]
    # A candle without a trade, whose `previous` of 0.10 is another hour's: (0.08 + 0.10) / 2 = 0.09.
    hour = datetime.fromtimestamp(1_781_143_200, UTC).replace(tzinfo=None)
    assert price("kalshi:KXELONMARS-99:yes", "1h", hour) == ["0.0800", "0.1000", "0.0900", None, "0.0900"]
    contracts = {row["contract_id"]: row for row in warehouse.rows("contracts")}
    # No is the rest of the dollar: 1 - 0.195 = 0.805 bid and 1 - 0.163 = 0.837 asked, as `no_bid_dollars` says too.
    no = contracts["kalshi:KXCOLONIZEMARS-50:no"]
    assert (no["bid"], no["ask"]) == (Decimal("0.805"), Decimal("0.837"))
    markets = {row["market_id"]: row for row in warehouse.rows("markets")}
    assert markets["kalshi:KXELONMARS-99"]["status"] == "open"
    assert markets["kalshi:KXELONMARS-99"]["volume"] == Decimal("94884.62")
    assert not any("KXMVE" in market_id for market_id in markets)
    # 9.40 x 0.10 = 0.94, 0.94 x 0.10 = 0.094; the taker of the third bought No, so Yes was sold: 9.40 x 0.08 = 0.752.
    trades = sorted(warehouse.rows("trades"), key=lambda row: row["timestamp"], reverse=True)
    assert [(row["side"], row["usd_value"]) for row in trades] == [
        ("BUY", Decimal("0.94")),
        ("BUY", Decimal("0.094")),
        ("SELL", Decimal("0.752")),
    ]
    assert trades[0]["timestamp"] == datetime(2026, 6, 12, 17, 11, 11, 927591)

    # Sell Yes 0.51, buy Yes 0.52: (0.51 + 0.52) / 2 = 0.515.
    assert price("predictit:4390") == ["0.5100", "0.5200", "0.5150", "0.5200", "0.5150"]
    # Never traded (0), nobody bids (null): an offer alone is no price of Yes.
    assert price("predictit:17119") == [None, "0.0100", None, None, None]
    # Nobody bids, but it was traded at 0.02: the last trade is the price.
    assert price("predictit:10930") == [None, "0.0100", None, "0.0200", "0.0200"]
    # 13:11:03 in New York in December is 18:11:03 UTC; the end, 23:59 on election day, is 04:59 of the next.
    row = prices["predictit:4390", "observed", None]
    assert row["venue_time"] == datetime(2019, 12, 24, 18, 11, 3)
    assert markets["predictit:2747"]["end_date"] == datetime(2020, 11, 4, 4, 59)
    assert markets["predictit:2721"]["end_date"] is None
    assert contracts["predictit:4495"]["outcome"] == "Yes"
    assert contracts["predictit:4389"]["outcome"] == "Republican"
    assert {markets[f"predictit:{number}"]["status"] for number in (2721, 2747, 4475, 5823)} == {"open"}
