"""Kalshi: series, events, markets with their quotes, public trades and candles. No key.

Endpoints, limits and quirks: README.md beside this file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import msgspec
from dlt.common.utils import chunks

from extract.http import Answer, Params, VenueClient, VenueError
from extract.kalshi.settings import (
    CANDLE_MINUTES,
    CANDLE_TICKERS,
    CANDLES,
    CANDLES_PER_ANSWER,
    CUTOFFS,
    EVENTS,
    EVENTS_PAGE,
    MARKETS,
    MARKETS_PAGE,
    SERIES,
    TRADES,
    TRADES_PAGE,
    KalshiSettings,
)
from extract.price_venue import Found, History, Keys, Phase, Window, windows_between
from extract.raw import RawTable, decode, joined
from extract.settings import UsageError, resolve
from extract.walks import Page, Reading


class _Cutoffs(msgspec.Struct):
    market_settled_ts: datetime
    trades_created_ts: datetime


class _MarketPage(msgspec.Struct):
    markets: list[msgspec.Raw]
    cursor: str | None = None


class _EventPage(msgspec.Struct):
    events: list[msgspec.Raw]
    cursor: str | None = None


class _TradePage(msgspec.Struct):
    trades: list[msgspec.Raw]
    cursor: str | None = None


class _SeriesList(msgspec.Struct):
    # null where a filter leaves none
    series: list[msgspec.Raw] | None = None


class _MarketCandles(msgspec.Struct):
    candlesticks: list[msgspec.Raw]
    market_ticker: str = ""


class _BatchOfCandles(msgspec.Struct):
    markets: list[_MarketCandles]


_Shape = type[_MarketPage] | type[_EventPage] | type[_TradePage]


@dataclass(frozen=True, slots=True)
class _Ask:
    """One list to page through: its path, parameters, envelope, and a name that sets its cursors apart."""

    name: str
    path: str
    params: Params
    shape: _Shape
    rows: str


class Kalshi:
    """The readings that Kalshi's API offers without a key."""

    name = "kalshi"

    def __init__(self) -> None:
        self.settings: KalshiSettings = resolve(KalshiSettings(), self.name)
        if self.settings.candle_minutes not in CANDLE_MINUTES:
            raise UsageError("SOURCES__KALSHI__CANDLE_MINUTES must be 1, 60 or 1440")
        self._series = [name.strip() for name in (self.settings.series or "").split(",") if name.strip()]
        self._client = VenueClient(
            self.settings.base_url,
            setting="SOURCES__KALSHI__BASE_URL",
            requests_per_second=self.settings.requests_per_second,
        )

    @property
    def requests_made(self) -> int:
        return self._client.requests_made

    def close(self) -> None:
        self._client.close()

    # -- lists and quotes

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("lists", self._lists), Phase("markets", self._markets), Phase("archive", self._archive))

    def _lists(self, found: Found) -> Iterator[Reading]:
        yield Reading(CUTOFFS, "cutoff", self._cutoff_page)
        yield Reading(SERIES, "series", self._series_page)

    def _markets(self, found: Found) -> Iterator[Reading]:
        """Every market that had not closed at `found.since`, with its quotes of now; and what was settled since then,
        which may have closed long before.
        """
        since = str(_floor(found.since))
        for series in self._series or [""]:
            of_series = {"series_ticker": series} if series else {}
            events: dict[str, str] = {"limit": str(EVENTS_PAGE), "min_close_ts": since}
            yield self._list(EVENTS, _Ask("closing", "/events", {**events, **of_series}, _EventPage, "events"))
            markets = {"limit": str(MARKETS_PAGE), "mve_filter": "exclude", **of_series}
            closing = {**markets, "min_close_ts": since}
            settled = {**markets, "status": "settled", "min_settled_ts": since}
            yield self._list(MARKETS, _Ask("closing", "/markets", closing, _MarketPage, "markets"))
            yield self._list(MARKETS, _Ask("settled", "/markets", settled, _MarketPage, "markets"))

    def _archive(self, found: Found) -> Iterator[Reading]:
        """Markets settled before the cutoff are in the archive only, whose list knows no filter of time."""
        cutoffs = found.column(CUTOFFS.name, "market_settled_ts")
        if not cutoffs or found.since >= msgspec.convert(cutoffs[0], datetime):
            return
        for series in self._series or [""]:
            # The archive takes one filter: combos are left out, or a series is chosen.
            chosen = {"series_ticker": series} if series else {"mve_filter": "exclude"}
            params = {"limit": str(MARKETS_PAGE), **chosen}
            yield self._list(MARKETS, _Ask("archive", "/historical/markets", params, _MarketPage, "markets"))

    def _list(self, table: RawTable, ask: _Ask) -> Reading:
        scope = ":".join(filter(None, (ask.name, str(ask.params.get("series_ticker", "")))))
        return Reading(table, scope, partial(self._pages, ask))

    def _cutoff_page(self) -> Iterator[Page]:
        answer = self._client.get("/historical/cutoff", {})
        yield Page([decode(answer.body, msgspec.Raw)], answer.venue_time, None)

    def _series_page(self) -> Iterator[Page]:
        """All series in one answer: the list is not paged."""
        answer = self._client.get("/series", {})
        yield Page(decode(answer.body, _SeriesList).series or [], answer.venue_time, None)

    # -- histories

    @property
    def histories(self) -> tuple[History, ...]:
        series = f":{','.join(self._series)}" if self._series else ""
        return (
            History(TRADES.name, f"all{series}", self._trades, needs_lists=bool(self._series)),
            History(CANDLES.name, f"{self.settings.candle_minutes}m{series}", self._candles, needs_lists=True),
        )

    def _trades(self, window: Window, found: Found) -> Reading:
        tickers = [str(market["ticker"]) for market in _trading_in(window, found)] if self._series else [""]
        return Reading(
            TRADES,
            self.histories[0].scope,
            partial(self._trade_pages, window, tickers),
            bound_from=window.start,
            bound_to=window.end,
        )

    def _trade_pages(self, window: Window, tickers: Sequence[str]) -> Iterator[Page]:
        """Trades before the cutoff from the archive, later ones from the live list; what both give is one row later."""
        cutoffs, answer = self._cutoffs()
        cutoff = cutoffs.trades_created_ts
        yield Page([], answer.venue_time, "cutoff")
        for ticker in tickers:
            of_market = {"ticker": ticker} if ticker else {}
            if window.start < cutoff:
                yield from self._trades_of("/historical/trades", window.start, min(window.end, cutoff), of_market)
            if window.end > cutoff:
                yield from self._trades_of("/markets/trades", max(window.start, cutoff), window.end, of_market)
        yield self._checked_cutoff(window, cutoffs)

    def _trades_of(self, path: str, start: datetime, end: datetime, of_market: dict[str, str]) -> Iterator[Page]:
        bounds = {"limit": str(TRADES_PAGE), "min_ts": str(_floor(start)), "max_ts": str(_ceiling(end))}
        name = path + of_market.get("ticker", "")
        yield from self._pages(_Ask(name, path, {**bounds, **of_market}, _TradePage, "trades"))

    def _candles(self, window: Window, found: Found) -> Reading:
        markets = _trading_in(window, found)
        return Reading(
            CANDLES,
            self.histories[1].scope,
            partial(self._candle_pages, window, markets),
            bound_from=window.start,
            bound_to=window.end,
            time_key="end_period_ts",
            filter_key="market_ticker",
            filter_values=frozenset(str(market["ticker"]).lower() for market in markets),
        )

    def _candle_pages(self, window: Window, markets: Sequence[Keys]) -> Iterator[Page]:
        """Markets of the archive one by one, the others many at once, never more candles than one answer holds."""
        cutoffs, answer = self._cutoffs()
        yield Page([], answer.venue_time, "cutoff")
        archived = [str(market["ticker"]) for market in markets if _is_archived(market, cutoffs)]
        live = [str(market["ticker"]) for market in markets if not _is_archived(market, cutoffs)]
        length = timedelta(minutes=self.settings.candle_minutes)
        for span in windows_between(window.start, window.end, length * (CANDLES_PER_ANSWER // 2)):
            candles = math.ceil((span.end - span.start) / length) + 1
            size = max(1, min(CANDLE_TICKERS, CANDLES_PER_ANSWER // candles))
            for ticker in archived:
                yield self._archived_candles(ticker, span)
            for tickers in chunks(live, size):
                yield self._live_candles(tickers, span)
        yield self._checked_cutoff(window, cutoffs)

    def _archived_candles(self, ticker: str, span: Window) -> Page:
        answer = self._client.get(f"/historical/markets/{ticker}/candlesticks", self._bounds(span))
        rows = self._named(ticker, decode(answer.body, _MarketCandles).candlesticks)
        return Page(rows, answer.venue_time, f"{ticker}:{span.start}")

    def _live_candles(self, tickers: Sequence[str], span: Window) -> Page:
        params = {"market_tickers": ",".join(tickers), **self._bounds(span)}
        answer = self._client.get("/markets/candlesticks", params)
        batch = decode(answer.body, _BatchOfCandles).markets
        rows = [row for market in batch for row in self._named(market.market_ticker, market.candlesticks)]
        return Page(rows, answer.venue_time, f"{tickers[0]}:{span.start}")

    def _bounds(self, span: Window) -> dict[str, str]:
        return {
            "start_ts": str(_floor(span.start)),
            "end_ts": str(_ceiling(span.end)),
            "period_interval": str(self.settings.candle_minutes),
        }

    def _named(self, ticker: str, candles: Sequence[msgspec.Raw]) -> list[msgspec.Raw]:
        """Candles say neither whose nor how long they are."""
        return [
            joined({"market_ticker": ticker, "period_interval": self.settings.candle_minutes}, row) for row in candles
        ]

    # -- shared

    def _cutoffs(self) -> tuple[_Cutoffs, Answer]:
        answer = self._client.get("/historical/cutoff", {})
        return decode(answer.body, _Cutoffs), answer

    def _checked_cutoff(self, window: Window, before: _Cutoffs) -> Page:
        """The end of a window's pages. Rows that went to the archive meanwhile were asked for in the wrong place."""
        cutoffs, answer = self._cutoffs()
        if cutoffs != before and window.end > min(before.trades_created_ts, before.market_settled_ts):
            raise VenueError("the archive's cutoff moved while the window was read")
        return Page([], answer.venue_time, None)

    def _pages(self, ask: _Ask) -> Iterator[Page]:
        """Lists end with an empty cursor, or none; a short page, even an empty one, is not the end."""
        cursor = ""
        while True:
            answer = self._client.get(ask.path, {**ask.params, "cursor": cursor} if cursor else ask.params)
            page = decode(answer.body, ask.shape)
            cursor = page.cursor or ""
            yield Page(getattr(page, ask.rows), answer.venue_time, f"{ask.name}:{cursor}" if cursor else None)
            if not cursor:
                return


def _trading_in(window: Window, found: Found) -> list[Keys]:
    """Markets that were open at any moment of the window, each once: as it was read last."""
    markets = {row["ticker"]: row for row in found.rows(MARKETS.name) if row["ticker"]}
    return [
        market
        for market in markets.values()
        if _time(market["open_time"], window.start) <= window.end
        and _time(market["close_time"], window.end) >= window.start
    ]


def _is_archived(market: Keys, cutoffs: _Cutoffs) -> bool:
    settled = market["settlement_ts"]
    return bool(settled) and _time(settled, cutoffs.market_settled_ts) < cutoffs.market_settled_ts


def _time(text: str | None, unknown: datetime) -> datetime:
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return unknown


def _floor(moment: datetime) -> int:
    return math.floor(moment.timestamp())


def _ceiling(moment: datetime) -> int:
    return math.ceil(moment.timestamp())
