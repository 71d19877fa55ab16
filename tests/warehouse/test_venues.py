"""Five venues of prices from their APIs to the public tables: every price, status and payout as the replica knows them,
although runs were killed on the way.

Beside most of it stands what a naive loader would have made of the same answers, and that it is wrong.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests

from extract.price_venue import Window, is_covered
from tests.conftest import BIN, ROOT, Project
from tests.replica.data_api import PRICE_BUCKETS
from tests.replica.server import serve
from tests.replica.venues import betfair, kalshi, predictit, smarkets
from tests.replica.venues.predictit import Quote
from tests.replica.venues.questions import DAY, HOUR
from tests.replica.world import build_world
from tests.warehouse.conftest import WITHOUT_TESTS, Warehouse, checked
from tests.warehouse.venues import (
    BETFAIR,
    DELAY,
    EARLY,
    KALSHI,
    KILLS,
    LATER,
    NOW,
    OVERLAP,
    POLYMARKET,
    PREDICTIT,
    QUESTIONS,
    RANGE,
    SMARKETS,
    START,
    Built,
    Row,
    answers,
    contract_id,
    epoch,
    fetch,
    filled,
    listed_at,
    planned_windows,
    pointed_at,
    utc,
)

SAMPLES = ROOT.parent / "shared" / "samples"
CATEGORIES = {"politics": "Politics", "current_affairs": "World", "tv_and_entertainment": "Culture"}
#: What the models call a point of Polymarket's history, by the length of its bucket.
FIDELITIES = {60: "1m", 300: "5m", 1800: "30m", 10_800: "3h", 43_200: "12h"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    with filled(tmp_path_factory.mktemp("venues"), checkpoints_tell_the_truth) as built:
        yield built


def mid(bid: Decimal | None, ask: Decimal | None) -> Decimal | None:
    return None if bid is None or ask is None else (bid + ask) / 2


# -- killed and read on


def checkpoints_tell_the_truth(built: Built) -> None:
    """At this moment: all rows of each window that is called completed are there, and what was not read is pending."""
    trades = set(built.raw("kalshi", "trades", "trade_id"))
    candles = set(built.raw("kalshi", "candles", "market_ticker, cast(end_period_ts as bigint)"))
    columns = "token_id, cast(timestamp as bigint), cast(resolution_seconds as bigint)"
    prices = set(built.raw("polymarket", "prices", columns))
    windows = built.rows("sync_checkpoints", "source in ('kalshi', 'polymarket')")
    assert {row["status"] for row in windows} <= {"completed", "pending"}
    for row in windows:
        if row["status"] == "completed":
            first, last = epoch(row["window_start"]), epoch(row["window_end"])
            match row["sync_type"]:
                case "trades:all":
                    given = {(trade.id,) for m in KALSHI.markets for trade in m.trades_between(first - 1, last)}
                    assert given <= trades
                case "candles:60m":
                    ends = {(m.ticker, end) for m in KALSHI.markets for end in m.candle_ends(first, last, 60)}
                    assert ends <= candles
                case _:
                    assert points_of_polymarket(built, first, last).keys() <= prices
    planned = {(window.start.replace(tzinfo=None), window.end.replace(tzinfo=None)) for window in planned_windows()}
    for sync_type in ("trades:all", "candles:60m"):
        assert planned <= {(r["window_start"], r["window_end"]) for r in windows if r["sync_type"] == sync_type}


def test_runs_were_killed_in_the_middle(built: Built) -> None:
    """What the other tests say holds although these were: the fixture looks at the checkpoints after each."""
    assert {venue: len(runs) for venue, runs in built.killed.items()} == KILLS
    status = "select count(*) from raw_{}.runs where status = 'completed'"
    for venue, runs in built.read_at.items():
        assert built.warehouse.project.query(status.format(venue)) == [(len(runs),)]
    # Something was left to do, and what was done before was not done again.
    for venue in ("kalshi", "polymarket"):
        told = next(printed for printed in reversed(built.printed[venue]) if "completed before" in printed)
        done, planned, before = map(int, re.search(r"windows +(\d+) of (\d+) done, (\d+) completed", told).groups())
        assert done == planned > 0 < before
        assert planned + before == len(planned_windows()) * (2 if venue == "kalshi" else 1)


def test_no_window_is_read_to_its_end_twice(built: Built) -> None:
    for venue in ("kalshi", "polymarket"):
        walks = built.raw(venue, "walks", "resource, bound_from, bound_to, status")
        windows = Counter(walk for walk in walks if walk[1] is not None and walk[3] == "completed")
        assert max(windows.values()) == 1


@pytest.mark.parametrize("venue", ["smarkets", "betfair", "predictit"])
def test_what_a_killed_run_observed_is_what_was_quoted_then(built: Built, venue: str) -> None:
    """The rest of it was loaded by the next run, at another time of the venue's."""
    rows = 0
    for first, last, now in built.killed[venue]:
        truth = {"smarkets": smarkets_truth, "betfair": betfair_truth, "predictit": predictit_truth}[venue](now)
        for row in built.observed(venue, first, last):
            said = truth[row["contract_id"]]
            assert (row["bid"], row["ask"], row["last_price"]) == (said.bid, said.ask, said.last_price)
            rows += 1
    whole = [built.observed(venue, *run[:2]) for run in built.read_at[venue]]
    # Nothing was observed at any other time.
    assert rows + sum(map(len, whole)) == len(built.rows("price_snapshots", f"venue = '{venue}'"))


# -- Polymarket


def points_of_polymarket(built: Built, first: int, last: int) -> dict[tuple[str, int, int], Decimal]:
    """The venue's history of every first outcome between two moments: (token, begin and length of bucket) -> price."""
    size = next(size for size, kept in PRICE_BUCKETS.items() if not kept or NOW - first <= kept)
    points = {}
    for contract in built.rows("contracts", "venue = 'polymarket' and outcome_index = 0"):
        for at, price in built.replica.source.data.prices(contract["contract_id"], NOW):
            slot = at - at % size
            if first <= slot <= last:
                points[contract["contract_id"], slot, size] = Decimal(str(price))
    return points


def test_polymarkets_history_is_what_the_venue_gave_for_each_moment(built: Built) -> None:
    truth = {
        (token, utc(slot), FIDELITIES[size]): price.quantize(Decimal("1e-9"))
        for window in planned_windows()
        for (token, slot, size), price in points_of_polymarket(
            built, int(window.start.timestamp()), int(window.end.timestamp())
        ).items()
    }
    rows = built.rows("price_snapshots", "venue = 'polymarket' and fidelity != 'observed'")
    told = {(row["contract_id"], row["snapshot_time"], row["fidelity"]): row["last_price"] for row in rows}
    assert len(told) == len(rows) > 100
    assert told == truth
    assert {row["fidelity"] for row in rows} >= {"1m", "5m"}
    assert all(row["yes_price"] == row["last_price"] and row["bid"] is None is row["ask"] for row in rows)
    assert {row["source"] for row in rows} == {"polymarket_prices_history"}
    # The trap: today's price, which is that of few other moments.
    today = {token: built.replica.source.data.prices(token, NOW)[-1][1] for token, _, _ in truth}
    assert sum(Decimal(str(today[key[0]])).quantize(Decimal("1e-9")) == truth[key] for key in truth) < len(truth) / 4


def test_polymarkets_quotes_are_observed_when_we_looked(built: Built) -> None:
    rows = built.observed("polymarket", *built.read_at["polymarket"][0][:2])
    assert rows and len(rows) == len(built.rows("price_snapshots", "venue = 'polymarket' and fidelity = 'observed'"))
    first = {str(market.token_ids[0]) for market in POLYMARKET.markets.values()}
    assert {row["contract_id"] for row in rows} <= first


# -- Kalshi


def test_history_is_what_the_venue_gave_for_each_hour_and_nothing_else(built: Built) -> None:
    truth: dict[tuple[str, datetime], tuple[Any, ...]] = {}
    for market in KALSHI.markets:
        for end in market.candle_ends(START, LATER, 60):
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
    today = {market.ticker: market.quote(LATER) for market in KALSHI.markets}
    naive = {key: today[key[0].split(":")[1]].bid for key in truth}
    assert sum(naive[key] == truth[key][0] for key in truth) < len(truth) / 4


def kalshi_truth(now: int) -> dict[str, tuple[Any, ...]]:
    """By contract: bid, ask, middle, last price, the price of Yes, volume."""
    truth = {}
    for market in KALSHI.markets:
        quote = market.quote(now)
        if market.status(now) in ("active", "inactive") and (quote.bid, quote.ask, quote.last) != (None,) * 3:
            middle = mid(quote.bid, quote.ask)
            yes = middle if middle is not None else quote.last
            truth[f"kalshi:{market.ticker}:yes"] = (quote.bid, quote.ask, middle, quote.last, yes, quote.volume)
    return truth


def test_observations_carry_the_moment_at_which_we_looked(built: Built) -> None:
    rows = built.rows("price_snapshots", "venue = 'kalshi' and fidelity = 'observed'")
    assert all(row["snapshot_time"] == row["fetched_at"] for row in rows)
    columns = ("bid", "ask", "mid_price", "last_price", "yes_price", "volume")
    seen = 0
    for first, last, now in built.read_at["kalshi"] + built.killed["kalshi"]:
        truth = kalshi_truth(now)
        of_run = built.observed("kalshi", first, last)
        for row in of_run:
            assert tuple(row[name] for name in columns) == truth[row["contract_id"]]
        if (first, last, now) in built.read_at["kalshi"]:
            assert {row["contract_id"] for row in of_run} == truth.keys()
        seen += len(of_run)
    assert seen == len(rows)
    # Placeholders: taken as they stand, an empty side would be a price of 0 or 1.
    listed = [json.loads(text) for (text,) in built.raw("kalshi", "markets", "payload")]
    naive = {(m["yes_bid_dollars"], m["yes_ask_dollars"]) for m in listed if m["status"] in ("active", "inactive")}
    assert {"0.0000"} & {bid for bid, _ in naive} and {"0.0000", "1.0000"} & {ask for _, ask in naive}
    assert any(None in (row["bid"], row["ask"]) for row in rows)
    # And what was never traded has a last price of "0.0000".
    assert any(m["last_price_dollars"] == "0.0000" for m in listed)
    assert not any(row["last_price"] == 0 for row in rows)


def test_candles_of_the_archive_have_other_names(built: Built) -> None:
    rows = built.raw("kalshi", "candles", "market_ticker, cast(end_period_ts as bigint), yes_bid, payload")
    naive = {(ticker, end): json.loads(bid).get("close_dollars") for ticker, end, bid, _ in rows}
    told = built.rows("price_snapshots", "venue = 'kalshi' and fidelity = '1h' and bid is not null")
    lost = [row for row in told if naive[row["contract_id"].split(":")[1], epoch(row["snapshot_time"])] is None]
    assert 0 < len(lost) < len(told)


def test_a_list_without_the_filter_is_all_combos(built: Built) -> None:
    url = f"{built.replica.url}/kalshi/trade-api/v2/markets?status=open&limit=40"
    page = requests.get(url, timeout=10).json()
    assert all("KXMVE" in market["ticker"] for market in page["markets"])
    assert not built.rows("markets", "market_id like '%KXMVE%'")


def test_markets_end_as_they_ended(built: Built) -> None:
    now = LATER
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
    truth = {trade.id: trade for market in KALSHI.markets for trade in market.trades_between(START - 1, LATER)}
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
    assert len(built.raw("kalshi", "trades", "trade_id")) > len(rows)


def test_events_are_as_listed(built: Built) -> None:
    rows = {row["event_slug"]: row for row in built.rows("events", "venue = 'kalshi'")}
    for place, question in enumerate(KALSHI.questions):
        if question.closes_at <= START:
            continue
        row = rows[f"kalshi:{KALSHI.event_ticker(place)}"]
        assert (row["title"], row["category"]) == (question.event, CATEGORIES[question.topic])


def test_checkpoints_cover_the_range_and_go_on(built: Built) -> None:
    rows = built.rows("sync_checkpoints", "source = 'kalshi' and status = 'completed'")
    assert built.rows("sync_checkpoints", "status != 'completed'") == []
    for sync_type in ("trades:all", "candles:60m"):
        windows = [(row["window_start"], row["window_end"]) for row in rows if row["sync_type"] == sync_type]
        assert min(start for start, _ in windows) == utc(START)
        assert max(end for _, end in windows) == utc(LATER)
        assert is_covered(Window(utc(START), utc(LATER)), [Window(*window) for window in windows])
        assert utc(NOW - OVERLAP) in {start for start, _ in windows}


def test_the_same_range_again_reads_no_window_again(built: Built) -> None:
    arguments = (*RANGE, "--to", utc(NOW).isoformat(), "--dry-run")
    told = fetch(built.warehouse, "kalshi", *arguments)
    assert f"windows   0 of 0 done, {2 * len(planned_windows())} completed before" in told


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
    for run, (_, _, now) in enumerate(built.read_at["predictit"]):
        truth = predictit_truth(now)
        of_run = built.snapshots("predictit", run)
        assert {key: (r["bid"], r["ask"], r["last_price"]) for key, r in of_run.items()} == {
            name: (quote.bid, quote.ask, quote.last_price) for name, quote in truth.items()
        }
        assert any(quote.last_price is None for quote in truth.values())
        # The first run is in winter, the second after the clocks were changed.
        stamp, hours = {NOW: ("2026-02-28T19:10:00", 5), LATER: ("2026-04-14T08:20:00", 4)}[now]
        naive = datetime.fromisoformat(stamp)
        feed_time = naive + timedelta(hours=hours)
        assert {r["venue_time"] for r in of_run.values()} == {feed_time + timedelta(microseconds=527044)}
        assert feed_time == utc(PREDICTIT.feed_time(now))
        # A naive loader takes the text for UTC.
        assert {text[:19] for (text,) in built.raw("predictit", "contracts", "time_stamp")} >= {stamp}
        assert naive != feed_time
    assert {row["volume"] for row in rows} == {None}


def test_a_market_that_disappears_is_closed_and_stays(built: Built) -> None:
    rows = {row["market_id"]: row for row in built.rows("markets", "venue = 'predictit'")}
    statuses = set()
    for place, question in enumerate(PREDICTIT.questions):
        first, second = (PREDICTIT.is_listed(question, now) for now in (NOW, LATER))
        row = rows.pop(f"predictit:{7000 + place}", None)
        if row is None:
            assert not first and not second
            continue
        assert first or second or any(PREDICTIT.is_listed(question, run[2]) for run in built.killed["predictit"])
        assert row["status"] == ("open" if second else "closed")
        assert (row["category"], row["title"], row["volume_unit"]) == ("Politics", question.title, None)
        statuses.add(row["status"])
        ends = utc(question.closes_at) if place % 3 == 0 else None
        assert row["end_date"] == ends
    assert rows == {} and statuses == {"open", "closed"}
    # A naive loader deletes what is listed no more, or leaves it as it was read last.
    assert {status for (status,) in built.raw("predictit", "markets", "status")} == {"Open"}


def test_the_one_contract_of_a_market_is_yes(built: Built) -> None:
    contracts = built.rows("contracts", "venue = 'predictit'")
    by_market: dict[str, list[str]] = {}
    for row in sorted(contracts, key=lambda row: (row["market_id"], row["outcome_index"])):
        by_market.setdefault(row["market_id"], []).append(row["outcome"])
    for market_id, outcomes in by_market.items():
        question = QUESTIONS[int(market_id.split(":")[1]) - 7000]
        assert outcomes == (["Yes"] if question.outcomes == ("Yes", "No") else list(question.outcomes))


# -- Smarkets


def smarkets_truth(now: int) -> dict[str, Any]:
    seen = {
        market.id
        for market in SMARKETS.markets
        if listed_at(market.question.opens_at, market.question.decided_at) and market.question.opens_at - DAY <= now
    }
    return {contract_id(row): row for row in SMARKETS.truth(now, DELAY) if row.market_id in seen}


def test_contracts_of_smarkets_equal_the_truth(built: Built) -> None:
    truth = smarkets_truth(NOW)
    rows = {row["contract_id"]: row for row in built.rows("contracts", "venue = 'smarkets'")}
    assert set(rows) == set(truth)
    for key, row in rows.items():
        said = truth[key]
        assert (row["outcome"], row["payout"], row["bid"], row["ask"]) == (
            said.outcome,
            said.payout,
            said.bid,
            said.ask,
        ), key
        if said.status in ("open", "suspended", "upcoming"):
            assert row["last_price"] == said.last_price
    assert {row["payout"] for row in rows.values()} >= {None, Decimal(0), Decimal(1)}


def test_markets_of_smarkets_equal_the_truth(built: Built) -> None:
    truth = smarkets_truth(NOW)
    rows = {row["market_id"]: row for row in built.rows("markets", "venue = 'smarkets'")}
    assert set(rows) == {f"smarkets:{row.market_id}" for row in truth.values()}
    assert {row["status"] for row in rows.values()} == {"upcoming", "open", "suspended", "resolved", "voided"}
    for said in truth.values():
        row = rows[f"smarkets:{said.market_id}"]
        question = SMARKETS.market_by_id[said.market_id].question
        assert row["status"] == said.status
        assert (row["title"], row["category"]) == (question.title, CATEGORIES[question.topic])
        decided = said.status in ("resolved", "voided")
        assert row["resolved_at"] == (utc(question.decided_at) if decided else None)
        assert row["volume_unit"] == "GBP (unverified)"
        single = len(question.winning) == 1 and said.status == "resolved"
        if single:
            assert row["winning_outcome"] == question.outcomes[question.winning[0]]


@pytest.mark.parametrize("run", [0, 1])
def test_snapshots_of_smarkets_are_what_was_quoted_then(built: Built, run: int) -> None:
    now = (EARLY, NOW)[run]
    rows = built.snapshots("smarkets", run)
    truth = {
        key: said
        for key, said in smarkets_truth(now).items()
        if said.status in ("open", "suspended") and (said.bid, said.ask, said.last_price) != (None, None, None)
    }
    assert set(rows) == set(truth)
    for key, row in rows.items():
        said = truth[key]
        assert (row["bid"], row["ask"], row["last_price"]) == (said.bid, said.ask, said.last_price)
        middle = (said.bid + said.ask) / 2 if said.bid is not None and said.ask is not None else None
        assert row["mid_price"] == middle
        assert row["yes_price"] == (middle if middle is not None else said.last_price)
        assert (row["market_status"], row["fidelity"]) == (said.status, "observed")
    # Whoever takes a ladder's end for an offer, or the first level for the best one, has another price.
    naive_asks, wrong = 0, 0
    for market in SMARKETS.markets:
        for contract in market.contracts:
            book = SMARKETS.book(market, contract, now - DELAY)
            key = f"smarkets:{contract.id}"
            if book and book["offers"] and key in rows:
                naive_asks += 1
                wrong += Decimal(book["offers"][0]["price"]) / 10_000 != rows[key]["ask"]
    assert wrong > naive_asks / 3 > 0


def test_what_had_a_price_and_has_none_now_shows_none(built: Built) -> None:
    """A contract that disappears from the quotes is not quoted at what it was before."""
    before, now = smarkets_truth(EARLY), smarkets_truth(NOW)
    gone = [key for key in before if before[key].bid is not None and now[key].bid is None]
    assert gone
    rows = {row["contract_id"]: row for row in built.rows("contracts", "venue = 'smarkets'")}
    assert all(rows[key]["bid"] is None for key in gone)


# -- Betfair


def betfair_truth(now: int) -> dict[str, Any]:
    seen = {
        market.id
        for market in BETFAIR.markets
        if listed_at(market.question.opens_at, market.question.decided_at) and market.question.opens_at - DAY <= now
    }
    return {contract_id(row): row for row in BETFAIR.truth(now) if row.market_id in seen}


def test_contracts_of_betfair_equal_the_truth(built: Built) -> None:
    truth = betfair_truth(NOW)
    rows = {row["contract_id"]: row for row in built.rows("contracts", "venue = 'betfair'")}
    assert set(rows) == set(truth)
    for key, row in rows.items():
        said = truth[key]
        assert (row["outcome"], row["payout"]) == (said.outcome, said.payout), key
        assert (row["bid"], row["ask"], row["last_price"]) == (said.bid, said.ask, said.last_price), key
    # The best odds to back are the lowest offer: taken the other way round, every spread is negative.
    quoted = [row for row in rows.values() if row["bid"] is not None and row["ask"] is not None]
    assert quoted and all(row["bid"] < row["ask"] for row in quoted)


def test_markets_of_betfair_equal_the_truth(built: Built) -> None:
    truth = betfair_truth(NOW)
    rows = {row["market_id"]: row for row in built.rows("markets", "venue = 'betfair'")}
    assert set(rows) == {f"betfair:{row.market_id}" for row in truth.values()}
    assert {row["status"] for row in rows.values()} >= {"open", "suspended", "resolved", "voided"}
    for said in truth.values():
        row = rows[f"betfair:{said.market_id}"]
        question = BETFAIR.by_id[said.market_id].question
        assert row["status"] == said.status
        assert row["title"] == question.title
        assert row["end_date"] == utc(question.closes_at)
        assert row["volume_unit"] == "GBP"


@pytest.mark.parametrize("run", [0, 1])
def test_snapshots_of_betfair_are_what_was_quoted_then(built: Built, run: int) -> None:
    now = (EARLY, NOW)[run]
    rows = built.snapshots("betfair", run)
    truth = {
        key: said
        for key, said in betfair_truth(now).items()
        if said.status in ("open", "suspended") and (said.bid, said.ask, said.last_price) != (None, None, None)
    }
    removed = {
        f"betfair:{market.id}:{runner.selection_id}"
        for market in BETFAIR.markets
        for runner in market.runners
        if BETFAIR.runner_state(market, runner, now) == "REMOVED"
    }
    # A runner that was withdrawn keeps its last match in the book, and has no price all the same.
    assert removed & set(truth)
    assert set(rows) == set(truth) - removed
    for key, row in rows.items():
        said = truth[key]
        assert (row["bid"], row["ask"], row["last_price"]) == (said.bid, said.ask, said.last_price)
        assert row["market_status"] == said.status
    # A suspended market is still told, with an empty book; whoever takes the first offer of each book finds none there.
    assert any(row["market_status"] == "suspended" and row["bid"] is None for row in rows.values())
    # Prices of a line are places on its scale: 1 / 50.5 would look like a probability.
    line = next(market for market in BETFAIR.markets if market.betting_type == "LINE")
    assert not any(row["market_id"] == f"betfair:{line.id}" for row in rows.values())


def test_what_a_naive_reader_of_betfairs_books_would_say(built: Built) -> None:
    books = [json.loads(text) for (text,) in built.raw("betfair", "books", "payload")]
    runners = [(book, runner) for book in books for runner in book["runners"]]
    # Never matched is told by leaving the field out: a default of 0 is odds that nobody can invert.
    untraded = [(b, r) for b, r in runners if "lastPriceTraded" not in r]
    assert untraded and all(r.get("lastPriceTraded", 0) == 0 for _, r in untraded)
    prices = {row["contract_id"] for row in built.rows("price_snapshots", "venue = 'betfair' and last_price is null")}
    assert prices & {f"betfair:{b['marketId']}:{r['selectionId']}" for b, r in untraded}
    # Books of suspended markets have nothing to take the first of.
    suspended = [r for b, r in runners if b["status"] == "SUSPENDED"]
    assert suspended and not any(r.get("ex", {}).get("availableToBack") for r in suspended)
    # Whole odds stand beside broken ones: a column of integers would lose the others.
    odds = [r["lastPriceTraded"] for _, r in runners if "lastPriceTraded" in r]
    assert {type(price) for price in odds} == {int, float}


# -- the same question at both


def same_questions() -> dict[str, str]:
    """Contract of Smarkets by that of Betfair which pays when the same comes true; undecided at the end, no No."""
    pairs = {}
    for market, other in zip(SMARKETS.markets, BETFAIR.markets, strict=True):
        question = market.question
        is_open = listed_at(question.opens_at, question.decided_at) and NOW < question.decided_at
        if not is_open or other.betting_type != "ODDS":
            continue
        for contract, runner in zip(market.contracts, other.runners, strict=False):
            if contract.name != "No":
                pairs[f"betfair:{other.id}:{runner.selection_id}"] = f"smarkets:{contract.id}"
    return pairs


def test_the_same_question_is_proposed_and_nothing_is_decided_by_that(built: Built) -> None:
    proposed = {(row["left_contract_id"], row["right_contract_id"]) for row in built.rows("market_match_proposals")}
    truth = same_questions()
    assert truth
    assert {left: right for left, right in proposed if left in truth and right.startswith("smarkets:")} == truth
    # Kalshi asks some of them, too.
    assert any({left.split(":")[0], right.split(":")[0]} == {"betfair", "kalshi"} for left, right in proposed)
    assert not built.rows("matched_prices")


# -- asked again


def verified(built: Built, venue: str, code: int, *arguments: str) -> Row:
    told: Row = json.loads(checked(built.warehouse.project.dlt(venue, "verify", "--json", *arguments), code))
    return told


def test_a_clean_store_passes(built: Built) -> None:
    for venue, now in {"smarkets": NOW, "betfair": NOW, "kalshi": LATER, "predictit": LATER}.items():
        built.replica.clock.set(now)
        told = verified(built, venue, 0)
        assert told["clean"]
        assert told["asked"]["markets"] > 0
        days = built.rows("price_coverage", f"venue = '{venue}'")
        assert sum(day["markets"] for day in told["coverage"]) == len(days)
        quoted = built.rows("price_snapshots", f"venue = '{venue}' and fidelity = 'observed'")
        observed = {(row["market_id"], row["snapshot_time"]) for row in quoted}
        assert sum(day["observations"] for day in days) == len(observed)


MATCHES_AND_ANOMALIES = ("market_match_proposals", "matched_prices", "match_leads", "price_anomalies")


@dataclass(frozen=True)
class Planted:
    """The contract and the market whose prices were made impossible, and the market that was taken away."""

    contract_id: str
    market_id: str
    lost_id: str


@pytest.fixture(scope="module")
def planted(built: Built) -> Planted:
    """Confirms the same questions of Betfair and Smarkets; plants faults elsewhere: prices that cannot be, a jump, a
    stamp that stands still, a sum far from one, a page twice, a day without a run, and a market that is gone.
    """
    truth = same_questions()
    matched = {row["market_id"] for row in built.rows("contracts") if row["contract_id"] in truth.values()}
    rows = built.rows("price_snapshots", "venue = 'smarkets' and mid_price is not null")
    quoted = sorted(
        (row for row in rows if row["market_id"] not in matched),
        key=lambda row: (row["contract_id"], row["snapshot_time"]),
    )
    lost = min(built.rows("markets", "venue = 'smarkets' and status = 'open'"), key=lambda row: row["market_id"])
    whole = next(
        market_id
        for market_id in sorted({row["market_id"] for row in quoted})
        if len({row["contract_id"] for row in quoted if row["market_id"] == market_id})
        == len(built.rows("contracts", f"market_id = '{market_id}'"))
        and market_id != lost["market_id"]
    )
    # From here to 0.999 is a jump, whatever counts as one.
    low = next(row for row in quoted if row["yes_price"] < Decimal("0.3"))
    plant = """
        insert into polyomega.price_snapshots by name
        select * replace (
            {changes}
        ) from polyomega.price_snapshots where {condition}
    """
    at = "snapshot_time + interval 3 minute"
    one = f"contract_id = '{low['contract_id']}' and snapshot_time = timestamp '{low['snapshot_time']:%F %T.%f}'"
    statements = [
        plant.format(changes=f"{at} as snapshot_time, 1.2 as ask", condition=one),
        plant.format(changes=f"{at} + interval 1 minute as snapshot_time, 0.999 as yes_price", condition=one),
        plant.format(
            changes="timestamp '2020-01-01 00:00:00' as snapshot_time, 0.9 as mid_price, 0.9 as bid, 0.9 as ask",
            condition=f"market_id = '{whole}' qualify row_number() over (partition by contract_id) = 1",
        ),
        plant.format(
            changes=f"{at} + interval 2 minute as snapshot_time, timestamp '2020-01-01 00:00:00' as venue_time",
            condition=one,
        ),
        plant.format(
            changes=f"{at} + interval 1 day as snapshot_time, timestamp '2020-01-01 00:00:00' as venue_time",
            condition=one,
        ),
        # One page came twice; and the first quotes that were ever read, a day before all others.
        """insert into raw_smarkets.quotes by name select * replace (walk_position + 1000000 as walk_position)
        from raw_smarkets.quotes where payload like '%bids%' limit 1""",
        """insert into raw_smarkets.walks by name select * replace (started_at - interval 1 day as started_at)
        from raw_smarkets.walks where resource = 'quotes' and status = 'completed' limit 1""",
    ]
    matches = [(f"m{place}", name, False, None) for place, pair in enumerate(truth.items()) for name in pair]
    with duckdb.connect(str(built.warehouse.project.warehouse)) as connection:
        connection.executemany("insert into polyomega.market_matches values (?, ?, ?, ?)", matches)
        for statement in statements:
            connection.execute(statement)
    checked(built.warehouse.project.dbt("--quiet", "run", "--select", *MATCHES_AND_ANOMALIES), 0)
    with duckdb.connect(str(built.warehouse.project.warehouse)) as connection:
        connection.execute(f"delete from polyomega.markets where market_id = '{lost['market_id']}'")
    return Planted(low["contract_id"], whole, lost["market_id"])


def test_confirmed_matches_are_compared_as_both_were_quoted(built: Built, planted: Planted) -> None:
    truth = same_questions()
    told = {(row["left_contract_id"], row["snapshot_time"]): row for row in built.rows("matched_prices")}
    assert told
    for (left, _), row in told.items():
        assert row["right_contract_id"] == truth[left]
        if row["left_price"] is not None and row["right_price"] is not None:
            assert row["spread"] == row["left_price"] - row["right_price"]
        crossed = [row["right_bid"], row["left_ask"]], [row["left_bid"], row["right_ask"]]
        gains = [bid - ask for bid, ask in crossed if bid is not None and ask is not None and bid > ask]
        assert row["arbitrage"] == (gains[0] if gains else None)
        if gains:
            buy, sell = (
                (crossed[0][1], crossed[0][0]) if row["buy_venue"] == "betfair" else (crossed[1][1], crossed[1][0])
            )
            market = BETFAIR.by_id[left.split(":")[1]]
            shares = {"betfair": Decimal(str(BETFAIR.base_rate(market))) / 100, "smarkets": Decimal("0.02")}
            fees = max(shares[row["buy_venue"]] * (1 - buy), shares[row["sell_venue"]] * sell)
            assert abs(row["arbitrage_after_fees"] - (gains[0] - fees)) <= Decimal("1e-9")
    # Where both were quoted in the last run, the newest row has both as they were then.
    newest = {left: row for (left, _), row in sorted(told.items(), key=lambda item: item[0][1])}
    now_left, now_right = betfair_truth(NOW), smarkets_truth(NOW)
    compared = 0
    for left, row in newest.items():
        said_left, said_right = now_left[left], now_right[truth[left]]
        if said_left.status == "open" == said_right.status and said_left.bid and said_right.bid:
            assert (row["left_bid"], row["right_bid"]) == (said_left.bid, said_right.bid)
            compared += 1
    assert compared
    confirmed = {
        (row["left_contract_id"], row["right_contract_id"]): row["is_confirmed"]
        for row in built.rows("market_match_proposals")
    }
    assert {pair for pair, is_confirmed in confirmed.items() if is_confirmed} == set(truth.items())
    leads = {row["left_contract_id"]: row for row in built.rows("match_leads")}
    assert set(leads) == {left for left, _ in told}


def test_what_was_planted_is_found(built: Built, planted: Planted) -> None:
    told = verified(built, "smarkets", 1)
    kinds = {finding["kind"]: finding for finding in told["findings"]}
    assert set(kinds) == {
        "impossible_price", "price_jump", "sum_far_from_one", "stale_feed", "missing_market", "duplicated_price",
        "too_few_observations",
    }  # fmt: skip
    assert kinds["missing_market"]["scope"] == planted.lost_id
    assert kinds["sum_far_from_one"]["scope"] == planted.market_id
    assert {kinds[kind]["scope"] for kind in ("impossible_price", "price_jump")} == {planted.contract_id}
    # All but the market that the venue alone can tell of is known without asking it.
    asked = len(built.replica.requests)
    known = verified(built, "smarkets", 1, "--gaps-only")
    assert {finding["kind"] for finding in known["findings"]} == kinds.keys() - {"missing_market"}
    assert len(built.replica.requests) == asked
    # By the venue's clock: had it been listed before that market came into being, nothing would be missing.
    with duckdb.connect(str(built.warehouse.project.warehouse)) as connection:
        connection.execute(
            "update raw_smarkets.walks set venue_time = ?::timestamptz - interval 1 second where resource = 'markets'",
            [kinds["missing_market"]["first_at"]],
        )
    assert {finding["kind"] for finding in verified(built, "smarkets", 1)["findings"]} == kinds.keys() - {
        "missing_market"
    }


def test_a_venue_that_is_down_fails_alone(built: Built) -> None:
    built.replica.faults.add("error", path="/smarkets/", status=503)
    assert "answered 503" in fetch(built.warehouse, "smarkets", code=1)
    fetch(built.warehouse, "betfair")
    assert verified(built, "smarkets", 1)["unanswered"]
    built.replica.faults.clear()


# -- what venues really said

real = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no recorded samples beside the checkout")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A warehouse of the venues' recorded answers."""
    now = int(datetime(2026, 6, 12, 18, tzinfo=UTC).timestamp())
    mounts = (
        kalshi.mount(kalshi.Recorded(SAMPLES / "kalshi")),
        predictit.mount(predictit.Recorded(SAMPLES / "predictit" / "marketdata_all.DERIVED.json")),
        smarkets.mount(smarkets.RecordedListing(answers(SAMPLES / "smarkets"))),
        betfair.mount(betfair.RecordedListing(answers(SAMPLES / "betfair"))),
    )
    empty = build_world(seed=1, wallets=2, markets=2, fills=10)
    with serve(empty, now, mounts=mounts) as replica:
        warehouse = pointed_at(tmp_path_factory.mktemp("recorded"), replica)
        warehouse.project.environment["SOURCES__BETFAIR__EVENT_TYPES"] = "Horse Racing,Soccer"
        fetch(warehouse, "kalshi", "--from", "2026-06-10", "--to", "2026-06-12T18:00:00Z")
        for venue in ("predictit", "smarkets", "betfair"):
            fetch(warehouse, venue)
        tables = ("+markets", "+contracts", "+price_snapshots", "+trades")
        checked(warehouse.project.dbt("--quiet", "build", "--select", *tables, *WITHOUT_TESTS), 0)
        yield warehouse


@real
def test_answers_of_kalshi_and_predictit_become_the_prices_worked_out_by_hand(recorded: Warehouse) -> None:
    contracts = {row["contract_id"]: row for row in recorded.rows("contracts")}
    markets = {row["market_id"]: row for row in recorded.rows("markets")}
    prices = {
        (row["contract_id"], row["fidelity"], row["snapshot_time"] if row["fidelity"] != "observed" else None): row
        for row in recorded.rows("price_snapshots")
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
    # No is the rest of the dollar: 1 - 0.195 = 0.805 bid and 1 - 0.163 = 0.837 asked, as `no_bid_dollars` says too.
    no = contracts["kalshi:KXCOLONIZEMARS-50:no"]
    assert (no["bid"], no["ask"]) == (Decimal("0.805"), Decimal("0.837"))
    assert markets["kalshi:KXELONMARS-99"]["status"] == "open"
    assert markets["kalshi:KXELONMARS-99"]["volume"] == Decimal("94884.62")
    assert not any("KXMVE" in market_id for market_id in markets)
    # 9.40 x 0.10 = 0.94, 0.94 x 0.10 = 0.094; the taker of the third bought No, so Yes was sold: 9.40 x 0.08 = 0.752.
    trades = sorted(recorded.rows("trades"), key=lambda row: row["timestamp"], reverse=True)
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
    # No outcome was known when these answers were recorded.
    unknown = {row["payout"] for row in contracts.values()} | {row["winning_outcome"] for row in markets.values()}
    assert unknown == {None}
    assert {row["status"] for row in markets.values() if row["venue"] != "betfair"} == {"open"}


@real
def test_answers_of_smarkets_and_betfair_become_the_prices_worked_out_by_hand(recorded: Warehouse) -> None:
    contracts = {row["contract_id"]: row for row in recorded.rows("contracts")}
    markets = {row["market_id"]: row for row in recorded.rows("markets")}

    def prices(contract: str) -> tuple[Any, ...]:
        row = contracts[contract]
        return tuple(
            str(row[name].normalize()) if row[name] is not None else None for name in ("bid", "ask", "last_price")
        )

    # Magdalena Andersson: bid 7353 / 10000, offers 7937 and 8772 of which the lower is 0.7937, last match 76.92 / 100.
    assert prices("smarkets:403538588") == ("0.7353", "0.7937", "0.7692")
    assert contracts["smarkets:403538588"]["yes_price"] == (Decimal("0.7353") + Decimal("0.7937")) / 2  # 0.7645
    # Ulf Kristersson: bid 1852, offers 2273 and 2326, never matched.
    assert prices("smarkets:403538589") == ("0.1852", "0.2273", None)
    # Social Democrats: bid 8696, offer 9434; Sweden Democrats 370 and 526; Moderates 294 and 417.
    assert prices("smarkets:403539336")[:2] == ("0.8696", "0.9434")
    assert prices("smarkets:403539337")[:2] == ("0.037", "0.0526")
    assert prices("smarkets:403539338")[:2] == ("0.0294", "0.0417")
    market = markets["smarkets:144500182"]
    assert (market["title"], market["status"], market["category"]) == (
        "Next Swedish Prime Minister",
        "open",
        "Politics",
    )
    assert (market["volume"], market["volume_unit"]) == (Decimal(4798), "GBP (unverified)")
    assert market["end_date"] == datetime(2026, 9, 13, 18)

    # Market 1.123398403: back 1.86, 1.85, 1.84; lay 1.87, 1.88, 1.89; last 1.87.
    # Offer 1 / 1.86 = 0.5376344086..., bid 1 / 1.87 = 0.5347593582...
    assert prices("betfair:1.123398403:9405314") == ("0.534759358", "0.537634409", "0.534759358")
    # Back 5.2, lay 5.3, last 5.2: 1 / 5.2 = 0.1923076923..., 1 / 5.3 = 0.1886792452...
    assert prices("betfair:1.123398403:6465009") == ("0.188679245", "0.192307692", "0.192307692")
    # Back 9.2, lay 10, last 9: 0.1086956521..., 0.1, 0.1111111111...; 9 and 10 are whole numbers in the answer.
    assert prices("betfair:1.123398403:7288661") == ("0.1", "0.108695652", "0.111111111")
    assert markets["betfair:1.123398403"]["status"] == "open"
    # A suspended book: best odds to back 21, nothing to lay, last 1000: 1 / 21 = 0.0476190476..., 1 / 1000.
    assert markets["betfair:1.125875153"]["status"] == "suspended"
    assert prices("betfair:1.125875153:8665860") == (None, "0.047619048", "0.001")
    assert markets["betfair:1.125875153"]["volume"] == Decimal("744286.88")


def test_windows_that_failed_or_were_not_come_to_are_told_until_they_are_read(built: Built, tmp_path: Path) -> None:
    """On a copy: a range before the others, of which one window fails and the run is stopped in the next."""
    file = tmp_path / "warehouse.duckdb"
    shutil.copy(built.warehouse.project.warehouse, file)
    weeks = [START - week * 7 * DAY for week in (3, 2, 1, 0)]
    replica = built.replica
    project = Project(
        tmp_path,
        built.warehouse.project.environment
        | {
            "DESTINATION__DUCKDB__CREDENTIALS": str(file),
            "PIPELINES_DIR": str(tmp_path / "pipelines"),
            # A load for each window.
            "SOURCES__KALSHI__WORKERS": "1",
        },
    )
    arguments = ["--from", utc(weeks[0]).isoformat(), "--to", utc(weeks[-1]).isoformat()]
    trades = "/historical/trades$"
    replica.faults.add("error", trades, query={"min_ts": str(weeks[0])}, status=500)
    hang = replica.faults.add("hang", trades, query={"min_ts": str(weeks[1])}, seconds=3)
    command = [str(BIN / "dlt"), "pipeline", "kalshi", "run", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=project.environment, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not hang.seen:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 3, told
    replica.faults.clear()

    process = project.dlt("kalshi", "verify", "--gaps-only", "--checkpoints", "--json")
    found = json.loads(checked(process, 1))["findings"]
    of_trades = {one["first_at"]: one for one in found if one["scope"] == "trades:all"}
    kinds = {start: one["kind"] for start, one in of_trades.items()}
    starts = [utc(week).isoformat() for week in weeks]
    assert [kinds.pop(start) for start in starts[:-1]] == ["failed_window", "pending_window", "pending_window"]
    assert not kinds
    failed = of_trades[starts[0]]
    assert "answered 500" in failed["detail"] and starts[1] == failed["last_at"]
    assert failed["what_to_do"] == f"dlt pipeline kalshi run --from {starts[0]}Z --to {starts[1]}Z"
    told = checked(project.dlt("kalshi", "status"), 1)
    assert re.search(r"trades:all +failed +1 ", told) and re.search(r"trades:all +pending +2 ", told), told
    assert "answered 500" in " ".join(told.split())

    # Without a range, what is left is read.
    checked(project.dlt("kalshi", "run"), 0)
    done = json.loads(checked(project.dlt("kalshi", "verify", "--gaps-only", "--checkpoints", "--json"), 0))
    assert done["clean"] is True
