"""Kalshi's trade API v2: lists that page by cursor, trades and candles, and an archive behind a cutoff.

Manners: a list ends with an empty cursor, and pages before its end can be short or empty; filters of time exclude each
other and most statuses; combos come first and are most of what is open unless they are left out; what was settled, or
traded, before the cutoff is in `/historical/...` alone, under names without units; too many requests are 429 with no
word about when to come back. Schema: OpenAPI 3.34.0.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from tests.replica.rows import encode
from tests.replica.venues.kalshi_world import DAY, KalshiWorld, Market, iso

Json = dict[str, Any]

STATUSES = {
    "unopened": ("initialized",),
    "open": ("active",),
    "paused": ("inactive",),
    "closed": ("closed", "determined", "disputed", "amended"),
    "settled": ("finalized",),
}
#: Filter of time -> statuses that may stand beside it.
TIME_FILTERS = {"created": ("unopened", "open"), "close": ("closed",), "settled": ("settled",), "updated": ()}
CANDLE_MINUTES = (1, 60, 1440)
CANDLE_TICKERS = 100
CANDLES = 10_000


@dataclass
class Manners:
    """How the venue behaves.

    `cutoff_days`: how old what is live may be. `page_rows`: most rows of a page, whatever is asked for. `short_page`:
    every so many-th page holds one row, the one after it none. `limit`: requests in any second by this computer;
    0: no limit.
    """

    cutoff_days: int = 5
    page_rows: int = 200
    short_page: int = 3
    limit: int = 0
    clock: Callable[[], float] = time.monotonic
    _times: deque[float] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cutoff(self, now: int) -> int:
        return now // DAY * DAY - self.cutoff_days * DAY

    def refuses(self) -> bool:
        if not self.limit:
            return False
        now = self.clock()
        with self._lock:
            while self._times and now - self._times[0] >= 1:
                self._times.popleft()
            if len(self._times) >= self.limit:
                return True
            self._times.append(now)
            return False


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Listing(Protocol):
    """What the routes serve, as of `now`."""

    def answer(self, path: str, query: Json, now: int) -> Json: ...


def mount(listing: Listing, manners: Manners | None = None) -> Mount:
    """The API under /kalshi/trade-api/v2."""
    manners = manners or Manners()

    async def handle(request: Request) -> Response:
        if manners.refuses():
            return _json({"error": "too many requests"}, 429)
        path = "/" + request.path_params["path"]
        try:
            return _json(listing.answer(path, dict(request.query_params), request.state.now), 200)
        except Refused as refused:
            if refused.status == 404:
                return Response(status_code=404)
            code = {400: "invalid_parameters"}.get(refused.status, "internal")
            return _json({"code": code, "message": code.replace("_", " "), "details": str(refused)}, refused.status)

    routes: list[BaseRoute] = [Route("/{path:path}", handle)]
    return Mount("/kalshi/trade-api/v2", routes=routes)


class Synthetic:
    """The routes over a world."""

    def __init__(self, world: KalshiWorld, manners: Manners | None = None) -> None:
        self.world = world
        self.manners = manners or Manners()

    def answer(self, path: str, query: Json, now: int) -> Json:
        parts = path.strip("/").split("/")
        match parts:
            case ["series"]:
                return {"series": self.world.series()}
            case ["historical", "cutoff"]:
                cutoff = iso(self.manners.cutoff(now))
                return dict.fromkeys(("market_settled_ts", "trades_created_ts", "orders_updated_ts"), cutoff)
            case ["events"]:
                listed = self.world.events(number_of(query, "min_close_ts", 0), query.get("series_ticker"))
                return self._page("events", listed, query, 200, 200)
            case ["markets"]:
                return self._page("markets", self._markets(query, now), query, 100, 1000)
            case ["historical", "markets"]:
                return self._page("markets", self._archived_markets(query, now), query, 100, 1000)
            case ["markets", "trades"]:
                return self._page("trades", self._trades(query, now, archived=False), query, 100, 1000)
            case ["historical", "trades"]:
                return self._page("trades", self._trades(query, now, archived=True), query, 100, 1000)
            case ["markets", "candlesticks"]:
                return self._candles(query, now)
            case ["historical", "markets", ticker, "candlesticks"]:
                return self._archived_candles(ticker, query, now)
        raise Refused(404, "not found")

    def _is_archived(self, market: Market, now: int) -> bool:
        return market.settles_at <= now and market.settles_at < self.manners.cutoff(now)

    def _markets(self, query: Json, now: int) -> list[Json]:
        status = query.get("status", "")
        if status and status not in STATUSES:
            raise Refused(400, "status: only one of " + ", ".join(STATUSES))
        used = {name for name in TIME_FILTERS if f"min_{name}_ts" in query or f"max_{name}_ts" in query}
        if len(used) > 1:
            raise Refused(400, "timestamp filters are mutually exclusive")
        for name in used:
            if status and status not in TIME_FILTERS[name]:
                raise Refused(400, f"{name} timestamp filters do not go with status {status}")
        listed = [market for market in self.world.markets if not self._is_archived(market, now)]
        listed = [market for market in listed if now >= market.question.opens_at - DAY]
        if status:
            listed = [market for market in listed if market.status(now) in STATUSES[status]]
        for name, time_of in (("close", lambda m: m.question.closes_at), ("settled", lambda m: m.settles_at)):
            if f"min_{name}_ts" in query:
                listed = [market for market in listed if time_of(market) >= number_of(query, f"min_{name}_ts", 0)]
            if f"max_{name}_ts" in query:
                listed = [market for market in listed if time_of(market) <= number_of(query, f"max_{name}_ts", 0)]
        rows = [self.world.market_json(market, now) for market in self._of_series(listed, query)]
        if query.get("mve_filter") != "exclude" and status in ("", "open"):
            return [self.world.combo_json(place, now) for place in range(self.world.combos)] + rows
        return rows

    def _archived_markets(self, query: Json, now: int) -> list[Json]:
        if len({"tickers", "event_ticker", "series_ticker", "mve_filter"} & query.keys()) > 1:
            raise Refused(400, "filters are mutually exclusive")
        listed = [market for market in self.world.markets if self._is_archived(market, now)]
        return [self.world.market_json(market, now) for market in self._of_series(listed, query)]

    def _of_series(self, markets: list[Market], query: Json) -> list[Market]:
        series = query.get("series_ticker")
        return [m for m in markets if series in (None, self.world.series_ticker(m.question.topic))]

    def _trades(self, query: Json, now: int, archived: bool) -> list[Json]:
        cutoff = self.manners.cutoff(now)
        first, last = number_of(query, "min_ts", 0), min(number_of(query, "max_ts", now), now)
        first, last = (first, min(last, cutoff - 1)) if archived else (max(first, cutoff), last)
        ticker = query.get("ticker")
        if ticker and ticker not in self.world.by_ticker:
            return []
        markets = [self.world.by_ticker[ticker]] if ticker else self.world.markets
        trades = [trade for market in markets for trade in market.trades_between(first - 1, last)]
        trades.sort(key=lambda trade: (trade.at, trade.micros, trade.id), reverse=True)
        return [trade.json() for trade in trades]

    def _candles(self, query: Json, now: int) -> Json:
        start, end, minutes = self._bounds(query, now)
        tickers = query.get("market_tickers", "").split(",")
        if not tickers[0] or len(tickers) > CANDLE_TICKERS:
            raise Refused(400, f"market_tickers: 1 to {CANDLE_TICKERS}")
        answer, count = [], 0
        for ticker in tickers:
            market = self.world.by_ticker.get(ticker)
            if market is None or self._is_archived(market, now):
                continue
            ends = market.candle_ends(start, end, minutes)
            count += len(ends)
            candles = [self.world.candle_json(market, at, minutes, archived=False) for at in ends]
            answer.append({"market_ticker": ticker, "candlesticks": candles})
        if count > CANDLES:
            raise Refused(400, f"more than {CANDLES} candlesticks")
        return {"markets": answer}

    def _archived_candles(self, ticker: str, query: Json, now: int) -> Json:
        start, end, minutes = self._bounds(query, now)
        market = self.world.by_ticker.get(ticker)
        if market is None or not self._is_archived(market, now):
            raise Refused(404, "not found")
        ends = market.candle_ends(start, end, minutes)
        candles = [self.world.candle_json(market, at, minutes, archived=True) for at in ends]
        return {"ticker": ticker, "candlesticks": candles}

    def _bounds(self, query: Json, now: int) -> tuple[int, int, int]:
        missing = {"start_ts", "end_ts", "period_interval"} - query.keys()
        if missing:
            raise Refused(400, f"{min(missing)} is required")
        minutes = number_of(query, "period_interval", 0)
        if minutes not in CANDLE_MINUTES:
            raise Refused(400, "period_interval: 1, 60 or 1440")
        return number_of(query, "start_ts", 0), min(number_of(query, "end_ts", 0), now), minutes

    def _page(self, name: str, rows: list[Json], query: Json, default: int, most: int) -> Json:
        limit = number_of(query, "limit", default)
        if not 0 <= limit <= most:
            raise Refused(400, f"limit: must be less than or equal to {most}")
        page, at = cursor_of(query.get("cursor", ""))
        size = min(limit or default, self.manners.page_rows)
        if self.manners.short_page and page % self.manners.short_page == self.manners.short_page - 1:
            size = 1
        elif self.manners.short_page and page and page % self.manners.short_page == 0:
            size = 0
        cut = rows[at : at + size]
        done = at + size >= len(rows)
        return {name: cut, "cursor": "" if done else cursor_for(page + 1, at + size)}


class Recorded:
    """The routes over recorded answers of a folder: one page of markets, one of trades, candles of one market."""

    def __init__(self, folder: Path) -> None:
        def read(name: str) -> Any:
            return json.loads((folder / name).read_text(encoding="utf-8"))

        self.markets = read("ccxt_markets_last_page_2026-06.json")
        self.combos = read("drm_markets_mve_2026-06-21.json")
        self.trades = read("ccxt_trades_2026-06.json")
        self.candles = read("ccxt_candlesticks_no_trades_2026-06.json")
        self.archived = read("historical_candlesticks.SYNTHETIC.json")
        self.cutoff = read("historical_cutoff.SYNTHETIC.json")

    def answer(self, path: str, query: Json, now: int) -> Json:
        match path.strip("/").split("/"):
            case ["historical", "cutoff"]:
                return dict(self.cutoff)
            case ["series"]:
                return {"series": []}
            case ["events"]:
                return {"events": [], "cursor": ""}
            case ["markets"] if query.get("status") == "settled":
                return {"markets": [], "cursor": ""}
            case ["markets"]:
                combos = [] if query.get("mve_filter") == "exclude" else self.combos
                return {"markets": combos + self.markets["markets"], "cursor": ""}
            case ["historical", "markets"]:
                return {"markets": [], "cursor": ""}
            case ["markets", "trades"]:
                return {"trades": [], "cursor": ""}
            case ["historical", "trades"]:
                # All of them are older than the cutoff.
                return {"trades": [], "cursor": ""} if query.get("cursor") else dict(self.trades)
            case ["markets", "candlesticks"]:
                rows = [{"market_ticker": self.candles["ticker"], "candlesticks": self.candles["candlesticks"]}]
                return {"markets": rows if self.candles["ticker"] in query["market_tickers"].split(",") else []}
            case ["historical", "markets", _, "candlesticks"]:
                return dict(self.archived)
        raise Refused(404, "not found")


def number_of(query: Json, name: str, default: int) -> int:
    try:
        return int(query.get(name, default))
    except ValueError:
        raise Refused(400, f"{name}: must be an integer") from None


def cursor_for(page: int, at: int) -> str:
    return base64.urlsafe_b64encode(f"{page}:{at}".encode()).decode()


def cursor_of(text: str) -> tuple[int, int]:
    if not text:
        return 0, 0
    try:
        page, at = base64.urlsafe_b64decode(text).decode().split(":")
        return int(page), int(at)
    except ValueError:
        raise Refused(400, "cursor: invalid") from None


def _json(value: Any, status: int) -> Response:
    return Response(encode(value), status, media_type="application/json")
