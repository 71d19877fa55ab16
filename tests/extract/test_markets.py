"""Runs of the venues that are read for their prices, against replicas that know what they should have got."""

from __future__ import annotations

import io
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dlt
import msgspec
import pytest
import requests
from dlt.pipeline.exceptions import PipelineStepFailed
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from starlette.routing import BaseRoute

from extract.cli.common import STOPPED_EARLY
from extract.cli.ending import exit_code, stops_explained
from extract.kalshi import Kalshi
from extract.market_run import MarketRun, Range
from extract.polymarket.prices import DueToken, PolymarketPrices
from extract.predictit import PredictIt
from extract.price_venue import PriceVenue, Window, is_covered, windows_between
from extract.raw import joined
from extract.settings import UsageError
from tests.extract.conftest import MemorySink
from tests.replica.app import LoggedRequest
from tests.replica.server import RunningReplica, serve
from tests.replica.venues import kalshi, predictit
from tests.replica.venues.kalshi_world import KalshiWorld
from tests.replica.venues.predictit import PredictItWorld
from tests.replica.venues.questions import DAY, HOUR, build_questions
from tests.replica.world import build_world

ENDS_AT = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
QUESTIONS = build_questions(seed=5, count=10, ends_at=ENDS_AT)
WORLD = KalshiWorld(QUESTIONS, ENDS_AT)
CUTOFF = ENDS_AT - 5 * DAY


@contextmanager
def served(monkeypatch: pytest.MonkeyPatch, *mounts: BaseRoute) -> Iterator[RunningReplica]:
    empty = build_world(seed=1, wallets=2, markets=2, fills=10)
    with serve(empty, ENDS_AT, mounts=mounts) as running:
        monkeypatch.setenv("SOURCES__KALSHI__BASE_URL", f"{running.url}/kalshi/trade-api/v2")
        monkeypatch.setenv("SOURCES__PREDICTIT__BASE_URL", f"{running.url}/predictit/api/marketdata")
        for venue in ("KALSHI", "PREDICTIT"):
            monkeypatch.setenv(f"SOURCES__{venue}__REQUESTS_PER_SECOND", "2000")
        monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.01")
        yield running


@pytest.fixture
def replica(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningReplica]:
    with served(monkeypatch, kalshi.mount(kalshi.Synthetic(WORLD))) as running:
        yield running


def carry_out(venue: PriceVenue, sink: MemorySink | None = None, **options: Any) -> tuple[MarketRun, MemorySink]:
    sink = sink or MemorySink()
    completed = options.pop("completed", {})
    planned = options.pop("planned", {})
    run = MarketRun(venue, Range("test", **options), completed, planned, sink, 4)
    try:
        run.execute()
    finally:
        venue.close()
    return run, sink


def at(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def walks(sink: MemorySink, resource: str) -> list[dict[str, Any]]:
    return [walk for walk in sink.rows["walks"] if walk["resource"] == resource and walk["bound_from"]]


# -- windows


@given(
    st.integers(0, 10_000),
    st.integers(1, 5_000),
    st.integers(1, 700),
)
def test_windows_cover_a_range_without_a_gap_or_an_overlap(start: int, length: int, size: int) -> None:
    windows = windows_between(at(start), at(start + length), timedelta(seconds=size))
    assert windows[0].start == at(start)
    assert windows[-1].end == at(start + length)
    assert all(left.end == right.start for left, right in zip(windows, windows[1:], strict=False))
    assert all(timedelta(0) < window.end - window.start <= timedelta(seconds=size) for window in windows)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=8), st.integers(0, 40), st.integers(1, 15))
def test_a_window_is_covered_when_each_of_its_moments_is(done: list[tuple[int, int]], start: int, length: int) -> None:
    stretches = [Window(at(first), at(first + size)) for first, size in done]
    moments = {second for first, size in done for second in range(first, first + size)}
    assert is_covered(Window(at(start), at(start + length)), stretches) == (
        set(range(start, start + length)) <= moments
    )


def test_keys_are_put_before_a_rows_own_text() -> None:
    row = msgspec.Raw(b' { "price" : 0.10 , "nested": {"a": 1} }')
    assert bytes(joined({"market": 'K"X', "place": 7}, row)) == (
        b'{"market":"K\\"X","place":7,"price" : 0.10 , "nested": {"a": 1} }'
    )
    assert bytes(joined({"a": None}, msgspec.Raw(b"{}"))) == b'{"a":null}'
    with pytest.raises(msgspec.ValidationError):
        joined({"a": 1}, msgspec.Raw(b"[1]"))


# -- Kalshi


@dataclass
class Read:
    """Fifty days of Kalshi in windows of a week, and what was asked for it."""

    run: MarketRun
    rows: dict[str, list[dict[str, Any]]]
    requests: list[LoggedRequest]


#: Where these days begin.
FIFTY_DAYS = ENDS_AT - 50 * DAY


@pytest.fixture(scope="module")
def fifty_days() -> Iterator[Read]:
    with (
        pytest.MonkeyPatch.context() as patch,
        served(patch, kalshi.mount(kalshi.Synthetic(WORLD))) as running,
    ):
        run, sink = carry_out(Kalshi(), start=at(FIFTY_DAYS), window=timedelta(days=7))
        yield Read(run, sink.rows, list(running.requests))


def test_a_range_brings_every_trade_once_or_twice_and_none_that_was_not(fifty_days: Read) -> None:
    assert fifty_days.run.tally.failures == {}
    truth = {trade.id: trade for market in WORLD.markets for trade in market.trades_between(FIFTY_DAYS - 1, ENDS_AT)}
    assert {row["trade_id"] for row in fifty_days.rows["trades"]} == truth.keys()
    for row in fifty_days.rows["trades"]:
        trade = truth[row["trade_id"]]
        assert (row["yes_price_dollars"], row["count_fp"]) == (f"{trade.price:.4f}", f"{trade.count:.2f}")
    # A naive loader asks the live list alone, which says nothing of what it leaves out.
    archived = {name for name, trade in truth.items() if trade.at < CUTOFF}
    assert archived and archived != truth.keys()


def test_candles_of_live_and_archived_markets_are_all_there(fifty_days: Read) -> None:
    given_ends = {(row["market_ticker"], int(row["end_period_ts"])) for row in fifty_days.rows["candles"]}
    assert given_ends == {
        (market.ticker, end) for market in WORLD.markets for end in market.candle_ends(FIFTY_DAYS, ENDS_AT, 60)
    }
    archived = [row for row in fifty_days.rows["candles"] if '"close":' in row["yes_bid"]]
    live = [row for row in fifty_days.rows["candles"] if '"close_dollars":' in row["yes_bid"]]
    assert archived and live and len(archived) + len(live) == len(fifty_days.rows["candles"])
    assert {row["period_interval"] for row in fifty_days.rows["candles"]} == {"60"}


def test_markets_are_listed_with_the_archive_and_without_combos(fifty_days: Read) -> None:
    listed = {row["ticker"] for row in fifty_days.rows["markets"]}
    assert listed == {
        market.ticker
        for market in WORLD.markets
        if ENDS_AT >= market.question.opens_at - DAY
        and (market.question.closes_at >= FIFTY_DAYS or market.settles_at >= FIFTY_DAYS)
    }
    assert any(market.settles_at < CUTOFF for market in WORLD.markets if market.ticker in listed)
    # Pages in between were short and even empty, and the last cursor was "".
    pages = [request for request in fifty_days.requests if request.path.endswith("/historical/trades")]
    assert any("cursor=" in page.query for page in pages)
    assert not any("cursor=&" in page.query or page.query.endswith("cursor=") for page in pages)


def test_who_stops_at_a_short_page_or_at_a_missing_cursor_reads_too_little_or_for_ever(replica: RunningReplica) -> None:
    def page(cursor: str) -> Any:
        url = f"{replica.url}/kalshi/trade-api/v2/historical/trades"
        params = {"limit": "100", "min_ts": str(ENDS_AT - 20 * DAY), "cursor": cursor}
        return requests.get(url, params=params, timeout=10).json()

    pages = [page("")]
    while pages[-1]["cursor"]:
        pages.append(page(pages[-1]["cursor"]))
    # The last cursor is there, and empty: it is no `null`, and asked for again it leads to the first page.
    assert pages[-1]["cursor"] == "" and page("") == pages[0]
    sizes = [len(page["trades"]) for page in pages]
    naive = list(itertools.takewhile(lambda size: size == 100, sizes))
    assert 0 in sizes and sum(naive) + sizes[len(naive)] < sum(sizes)


def test_a_run_without_a_range_goes_on_from_the_last_success_less_the_overlap(replica: RunningReplica) -> None:
    ended = ENDS_AT - 2 * HOUR
    completed = {
        ("trades", "all"): [Window(at(ENDS_AT - 9 * DAY), at(ended)), Window(at(0), at(1))],
        ("candles", "60m"): [Window(at(ENDS_AT - DAY), at(ended - HOUR))],
    }
    _, sink = carry_out(Kalshi(), completed=completed)
    [trades], [candles] = walks(sink, "trades"), walks(sink, "candles")
    assert (trades["bound_from"], trades["bound_to"]) == (at(ended - 900), at(ENDS_AT))
    assert (candles["bound_from"], candles["bound_to"]) == (at(ended - HOUR - 900), at(ENDS_AT))


def test_what_an_earlier_run_left_over_is_read_by_the_next(replica: RunningReplica) -> None:
    def days(first: int, last: int) -> Window:
        return Window(at(ENDS_AT - first * DAY), at(ENDS_AT - last * DAY))

    # Of three windows the first failed and the last two were read; another was planned by a run that was killed.
    completed = {("trades", "all"): [days(14, 7), days(7, 0)], ("candles", "60m"): [days(21, 0)]}
    planned = {
        ("trades", "all"): [days(21, 14), days(14, 7), days(7, 0), days(21, 14), days(40, 35), days(12, 9)],
        ("candles", "60m"): [days(21, 0)],
        ("candles", "1440m"): [days(50, 40)],
    }
    replica.clock.advance(HOUR)
    _, sink = carry_out(Kalshi(), completed=completed, planned=planned)
    read = sorted((walk["bound_from"], walk["bound_to"]) for walk in walks(sink, "trades"))
    fresh = (at(ENDS_AT - 900), at(ENDS_AT + HOUR))
    assert read == [(w.start, w.end) for w in (days(40, 35), days(21, 14))] + [fresh]
    assert [(walk["bound_from"], walk["bound_to"]) for walk in walks(sink, "candles")] == [fresh]
    # Markets that were open then are listed, too.
    assert any(request.query.count(f"min_close_ts={ENDS_AT - 40 * DAY}") for request in replica.requests)


def test_the_first_run_looks_back_one_day_by_the_venues_clock(replica: RunningReplica) -> None:
    _, sink = carry_out(Kalshi())
    [trades] = walks(sink, "trades")
    assert (trades["bound_from"], trades["bound_to"]) == (at(ENDS_AT - DAY), at(ENDS_AT))


def test_completed_windows_are_skipped_and_planned_ones_are_written_down(replica: RunningReplica) -> None:
    start = ENDS_AT - 28 * DAY
    completed = {("trades", "all"): [Window(at(start), at(start + 14 * DAY))]}
    run, sink = carry_out(Kalshi(), start=at(start), end=at(ENDS_AT), completed=completed)
    assert run.windows_skipped == 2
    read = {(walk["bound_from"], walk["bound_to"]) for walk in walks(sink, "trades")}
    assert read == {(at(start + days * DAY), at(start + (days + 7) * DAY)) for days in (14, 21)}
    planned = {(row["resource"], row["bound_from"]) for row in sink.rows["windows"]}
    assert planned == {(walk["resource"], walk["bound_from"]) for walk in sink.rows["walks"] if walk["bound_from"]}


def test_a_list_that_failed_leaves_the_windows_that_need_it_undone(replica: RunningReplica) -> None:
    replica.faults.add("error", "/kalshi/trade-api/v2/markets$", status=500)
    run, sink = carry_out(Kalshi(), start=at(ENDS_AT - 14 * DAY))
    assert run.tally.walks_failed == 2
    assert walks(sink, "candles") == []
    assert {walk["status"] for walk in walks(sink, "trades")} == {"completed"}
    assert {row["resource"] for row in sink.rows["windows"]} == {"trades", "candles"}
    assert sink.rows["runs"][0]["status"] == "failed"


def test_a_window_during_which_the_cutoff_moves_is_not_completed(replica: RunningReplica) -> None:
    # Every request takes hours, so that the archive grows while a window is read.
    replica.clock.auto_advance = 6 * HOUR
    run, sink = carry_out(Kalshi(), start=at(ENDS_AT - 7 * DAY))
    moved = "the archive's cutoff moved while the window was read"
    assert {walk["error"] for walk in walks(sink, "candles") if walk["status"] == "failed"} == {moved}
    assert run.tally.walks_failed


def test_too_many_requests_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    manners = kalshi.Manners(limit=8)
    with served(monkeypatch, kalshi.mount(kalshi.Synthetic(WORLD), manners)) as running:
        monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.5")
        run, sink = carry_out(Kalshi(), start=at(ENDS_AT - 3 * DAY), end=at(ENDS_AT - 2 * DAY))
        assert run.tally.failures == {}
        assert 429 in {request.status for request in running.requests}


def test_series_narrow_everything(replica: RunningReplica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__KALSHI__SERIES", "KXPOLITICS")
    run, sink = carry_out(Kalshi(), start=at(ENDS_AT - 30 * DAY), window=timedelta(days=30))
    assert run.tally.failures == {}
    tickers = {row["ticker"] for table in ("markets", "trades") for row in sink.rows[table]}
    assert tickers and all(ticker.startswith("KXPOLITICS-") for ticker in tickers)
    truth = {
        trade.id
        for market in WORLD.markets
        if market.ticker.startswith("KXPOLITICS-")
        for trade in market.trades_between(ENDS_AT - 30 * DAY - 1, ENDS_AT)
    }
    assert {row["trade_id"] for row in sink.rows["trades"]} == truth
    assert {walk["scope"] for walk in walks(sink, "trades")} == {"all:KXPOLITICS"}


def test_a_candle_has_one_of_three_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__KALSHI__CANDLE_MINUTES", "5")
    with pytest.raises(UsageError, match="CANDLE_MINUTES must be 1, 60 or 1440"):
        Kalshi()


def test_minutes_are_asked_for_in_answers_that_hold_them(
    replica: RunningReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A day of minutes is 1,440 candles of one market, more than any answer holds: a tenth of what the venue allows.
    monkeypatch.setattr("tests.replica.venues.kalshi.CANDLES", 1_000)
    monkeypatch.setattr("extract.kalshi.CANDLES_PER_ANSWER", 1_000)
    monkeypatch.setenv("SOURCES__KALSHI__CANDLE_MINUTES", "1")
    start, end = ENDS_AT - 2 * DAY, ENDS_AT - DAY
    run, sink = carry_out(Kalshi(), start=at(start), end=at(end), window=timedelta(days=1))
    assert run.tally.failures == {}
    given_ends = {(row["market_ticker"], int(row["end_period_ts"])) for row in sink.rows["candles"]}
    assert given_ends == {(market.ticker, at) for market in WORLD.markets for at in market.candle_ends(start, end, 1)}


# -- PredictIt


def test_one_call_brings_every_market_and_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    world = PredictItWorld(QUESTIONS, ENDS_AT)
    manners = predictit.Manners(seconds_between=30)
    with served(monkeypatch, predictit.mount(world, manners)) as running:
        run, sink = carry_out(PredictIt())
        assert [request.path for request in running.requests] == ["/predictit/api/marketdata/all/"]
    assert run.tally.failures == {}
    truth = world.quotes(ENDS_AT)
    assert len(sink.rows["contracts"]) == len(truth)
    for row, quote in zip(sink.rows["contracts"], truth, strict=True):
        assert (f"predictit:{row['market_id']}", f"predictit:{row['id']}") == (quote.market_id, quote.contract_id)
        assert row["best_sell_yes_cost"] == (None if quote.bid is None else str(float(quote.bid)))
        assert row["last_trade_price"] == ("0" if quote.last_price is None else str(float(quote.last_price)))
        assert row["time_stamp"] == "2026-02-28T19:00:00.5270443"


def test_a_refusal_in_html_is_a_failed_walk_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    manners = predictit.Manners(seconds_between=1_000)
    manners.refuses()
    with served(monkeypatch, predictit.mount(PredictItWorld(QUESTIONS, ENDS_AT), manners)):
        run, sink = carry_out(PredictIt())
    [(error, _)] = run.tally.failures.items()
    assert error.startswith("/all/ answered 429 (text/html)")
    assert "contracts" not in sink.rows


def test_predictit_is_called_once_a_minute_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCES__PREDICTIT__REQUESTS_PER_SECOND", raising=False)
    venue = PredictIt()
    try:
        [rate] = venue._client._adapter.limiter.bucket_factory.rates
        assert rate.interval / rate.limit >= 60_000
    finally:
        venue.close()


# -- Polymarket


def test_polymarkets_history_is_read_in_the_finest_buckets_that_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build_world(seed=11, wallets=12, markets=25, fills=900)
    with serve(world) as running:
        monkeypatch.setenv("SOURCES__POLYMARKET__DATA_API_URL", running.data_api_url)
        monkeypatch.setenv("SOURCES__POLYMARKET__REQUESTS_PER_SECOND", "2000")
        now = running.clock.now()
        start = now // DAY * DAY - 70 * DAY
        tokens = [str(market.token_ids[0]) for market in world.markets.values()]
        venue = PolymarketPrices()
        venue.due = [DueToken(token, None, None) for token in tokens] + [DueToken("9", at(0), at(start - 1))]
        run, sink = carry_out(venue, start=at(start), window=timedelta(days=10))
        assert run.tally.failures == {}
        fills = {token: running.source.data.prices(token, now) for token in tokens}
    told = {(row["token_id"], int(row["timestamp"]), int(row["resolution_seconds"])) for row in sink.rows["prices"]}
    sizes = {size for _, _, size in told}
    # A window of the last week by minutes would be possible; these begin earlier, and the oldest before 60 days.
    assert {300, 1800} <= sizes <= {60, 300, 1800}
    for row in sink.rows["prices"]:
        slot, size = int(row["timestamp"]), int(row["resolution_seconds"])
        inside = [price for moment, price in fills[row["token_id"]] if slot <= moment < slot + size]
        assert float(row["price"]) == pytest.approx(inside[-1], abs=1e-9)
    for token, points in fills.items():
        for moment, _ in points:
            if moment < start:
                continue
            assert any((token, moment - moment % size, size) in told for size in sizes)
    assert not any("token_id=9&" in request.query for request in running.requests)


# -- shared


def test_a_venue_that_is_down_is_a_failed_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__KALSHI__BASE_URL", "http://127.0.0.1:9/trade-api/v2")
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.01")
    run, sink = carry_out(Kalshi())
    assert run.tally.walks_failed == run.tally.walks
    assert sink.rows["runs"][0]["status"] == "failed"
    assert all("cannot be reached" in error for error in run.tally.failures)


def test_a_run_that_is_stopped_says_so(replica: RunningReplica) -> None:
    venue, sink, stop = Kalshi(), MemorySink(), threading.Event()
    run = MarketRun(venue, Range("test", start=at(ENDS_AT - 30 * DAY)), {}, {}, sink, 2, stop=stop)
    with ThreadPoolExecutor(1) as pool:
        stop.set()
        pool.submit(run.execute).result()
    venue.close()
    assert sink.rows["runs"][0]["status"] == "interrupted"
    assert "windows" not in sink.rows
    said = io.StringIO()
    assert exit_code(run, "pipeline kalshi run --from 2026-01-30", Console(file=said)) == STOPPED_EARLY
    assert "To resume: dlt pipeline kalshi run --from 2026-01-30\n" in said.getvalue()


def test_a_run_that_is_ended_at_once_says_so(tmp_path: Path) -> None:
    pipeline = dlt.pipeline("test", destination="duckdb", pipelines_dir=str(tmp_path))
    faults = {
        "interrupted": KeyboardInterrupt(),
        "no space left": PipelineStepFailed(pipeline, "load", "1", OSError("no space left\non device")),
    }
    for why, fault in faults.items():
        said = io.StringIO()
        with pytest.raises(SystemExit) as ended, stops_explained(pipeline, "pipeline kalshi run", Console(file=said)):
            raise fault
        assert ended.value.code == STOPPED_EARLY
        assert f"Stopped early: {why}. What was loaded stays" in said.getvalue()
        assert "To resume: dlt pipeline kalshi run\n" in said.getvalue()
