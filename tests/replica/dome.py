"""Dome: one key, JSON with texts and numbers mixed, pages by `pagination_key`.

Errors are `{"error", "message"}`. Without the right key: 403. A deep `offset`: 401, which is
therefore no word about the key. Two generations of rows: the older has neither block_number,
log_index, token_label nor taker, and markets name their winner as a text instead of an object.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.replica.rows import encode, seek
from tests.replica.source import Source

MAX_OFFSET = 10_000
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
CANDLE_RANGES = {1: 7 * 86_400, 60: 31 * 86_400, 1440: 366 * 86_400}


@dataclass(frozen=True)
class Manners:
    """Switches of the Dome replica.

    Rows from `complete_since` on are of the newer generation; None: half-way through the story.
    `winning_side`: "object", "string", or "mixed" (markets created before `complete_since` name
    their winner as a text, the others as an object).
    """

    api_key: str = "dome-replica-key"
    complete_since: int | None = None
    winning_side: Literal["object", "string", "mixed"] = "mixed"


class Refused(Exception):
    def __init__(self, status: int, error: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": error, "message": message, **more}

    def response(self) -> Response:
        return Response(encode(self.body), self.status, media_type="application/json")


def bad(error: str, message: str) -> Refused:
    return Refused(400, error, message)


class Query:
    def __init__(self, request: Request) -> None:
        self.params = request.query_params

    def text(self, name: str) -> str | None:
        return self.params.get(name) or None

    def many(self, name: str) -> list[str]:
        """An array parameter: the key repeated, with or without brackets."""
        return self.params.getlist(name) + self.params.getlist(f"{name}[]")

    def moment(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not value.isdigit():
            raise bad(f"Invalid {name} parameter", f"{name} must be a valid Unix timestamp")
        return int(value)

    def window(self) -> tuple[int | None, int | None]:
        start, end = self.moment("start_time"), self.moment("end_time")
        if start is not None and end is not None and start > end:
            raise bad("Invalid time range", "start_time must be less than end_time")
        return start, end

    def limit(self, default: int, maximum: int) -> int:
        value = self.text("limit")
        if value is None:
            return default
        if not value.isdigit() or not 1 <= int(value) <= maximum:
            raise bad("Invalid limit parameter", f"limit must be a number between 1 and {maximum}")
        return int(value)

    def offset(self) -> int:
        value = self.text("offset")
        if value is None:
            return 0
        if not value.isdigit():
            raise bad("Invalid offset parameter", "offset must be a non-negative number")
        if int(value) > MAX_OFFSET:
            raise Refused(
                401,
                "Offset deprecated",
                "Offsets greater than 10,000 are no longer supported. Please use pagination_key"
                " for efficient pagination.",
                docs="https://docs.domeapi.io/pagination",
            )
        return int(value)

    def user(self) -> str | None:
        value = self.text("user")
        if value is not None and not _ADDRESS.fullmatch(value):
            raise bad("Invalid user parameter", "user must be a valid Ethereum address")
        return value.lower() if value else None

    def pagination_key(self) -> dict[str, Any] | None:
        value = self.text("pagination_key")
        if value is None:
            return None
        try:
            token = msgspec.json.decode(base64.b64decode(value, validate=True))
            if isinstance(token, dict):
                return token
        except (ValueError, binascii.Error):
            pass
        raise bad("Invalid pagination key", "pagination_key is invalid or corrupted")


def mint(token: dict[str, Any]) -> str:
    return base64.b64encode(encode(token)).decode()


def as_date(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def from_date(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def listing(name: str, rows: list[bytes], pagination: dict[str, Any]) -> Response:
    body = b'{"%b":[%b],"pagination":%b}' % (name.encode(), b",".join(rows), encode(pagination))
    return Response(body, media_type="application/json")


def routes(source: Source, manners: Manners) -> list[Route]:
    books = source.dome
    middle = source.starts_at + (source.ends_at - source.starts_at) // 2
    complete_since = middle if manners.complete_since is None else manners.complete_since

    def is_complete(timestamp: int) -> bool:
        return timestamp >= complete_since

    def row_page(
        query: Query,
        now: int,
        rows: Any,
        keep: Callable[[Any], bool],
        write: Callable[[Any], bytes],
        name: str,
        count_name: str,
    ) -> Response:
        """A page of orders or activities, newest first."""
        limit, offset = query.limit(100, 1000), query.offset()
        start, end = query.window()
        first, last = start or 0, now if end is None else min(end, now)
        token = query.pagination_key()
        if token is None:
            everything, _ = seek(
                rows,
                keep,
                first=first,
                last=last,
                anchor=None,
                descending=True,
                limit=len(rows),
                key=books.dome_position,
            )
            total = len(everything)
            page, more = everything[offset : offset + limit], total > offset + limit
        else:
            try:
                at = from_date(token["block_timestamp"])
                anchor = (at, token["tx_hash"], token["log_index"])
                total = token["total"]
            except (KeyError, TypeError, ValueError):
                raise bad("Invalid pagination key", "pagination_key is invalid or corrupted") from None
            page, more = seek(
                rows,
                keep,
                first=first,
                last=last,
                anchor=anchor,
                descending=True,
                limit=limit,
                key=books.dome_position,
            )
        pagination: dict[str, Any] = {"limit": limit, "offset": offset, count_name: total}
        if count_name == "count":
            del pagination["offset"]
        pagination["has_more"] = more
        if more:
            timestamp, tx_hash, log_index = books.dome_position(page[-1])
            place: dict[str, Any] = {"block_timestamp": as_date(timestamp)}
            if count_name == "count":
                place["side"] = page[-1].type
            place |= {"tx_hash": tx_hash, "log_index": log_index, "total": total}
            pagination["pagination_key"] = mint(place)
        return listing(name, [write(row) for row in page], pagination)

    def orders(query: Query, now: int) -> Response:
        user, token = query.user(), query.text("token_id")
        slug, condition = query.text("market_slug"), query.text("condition_id")
        chosen = [value for value in (slug, condition, token) if value]
        if not chosen and user is None:
            raise bad(
                "Missing required filter parameter",
                "At least one of market_slug, condition_id, user, or token_id must be provided",
            )
        if len(chosen) > 1:
            raise bad(
                "Invalid filter combination",
                "Only one of market_slug, token_id, or condition_id can be provided",
            )
        if slug is not None:
            condition = books.condition_of_slug(slug) or ""
        return row_page(
            query,
            now,
            books.orders(user, condition, token),
            lambda row: row.visible_at <= now,
            lambda row: books.order_json(row, now, is_complete(row.timestamp)),
            "orders",
            "total",
        )

    def activity(query: Query, now: int) -> Response:
        user = query.user()
        slug, condition = query.text("market_slug"), query.text("condition_id")
        if slug and condition:
            raise bad(
                "Invalid filter combination",
                "Only one of market_slug or condition_id can be provided",
            )
        if slug is not None:
            condition = books.condition_of_slug(slug) or ""

        def keep(row: Any) -> bool:
            return row.visible_at <= now and (condition is None or row.condition_id == condition)

        return row_page(
            query,
            now,
            books.activity(user),
            keep,
            lambda row: books.activity_json(row, now, is_complete(row.timestamp)),
            "activities",
            "count",
        )

    def winner_as_object(created_at: int) -> bool:
        if manners.winning_side == "mixed":
            return is_complete(created_at)
        return manners.winning_side == "object"

    def markets(query: Query, now: int) -> Response:
        limit, offset = query.limit(10, 100), query.offset()
        start, end = query.window()
        slugs, events = set(query.many("market_slug")), set(query.many("event_slug"))
        conditions, tokens = set(query.many("condition_id")), set(query.many("token_id"))
        tags = {tag.lower() for tag in query.many("tags")}
        search, status = query.text("search"), query.text("status")
        if status not in (None, "open", "closed"):
            raise bad("Invalid status parameter", "status must be 'open' or 'closed'")
        if search is not None:
            if len(search) < 2:
                raise bad("Invalid search parameter", "search must be at least 2 characters long")
            if slugs or events or conditions or tokens or tags:
                raise bad(
                    "Invalid query parameters",
                    "search parameter cannot be used with other filter parameters",
                )
        least = float(query.text("min_volume") or 0)
        found = [
            view
            for view in books.markets(now)
            if (not slugs or view.market_slug in slugs)
            and (not events or view.event_slug in events)
            and (not conditions or view.condition_id in conditions)
            and (not tokens or not tokens.isdisjoint(view.token_ids))
            and (not tags or not tags.isdisjoint(tag.lower() for tag in view.tags))
            and (search is None or search.lower() in view.title.lower())
            and (status is None or view.status == status)
            and view.volume >= least
            and (start is None or view.start_time >= start)
            and (end is None or view.start_time <= end)
        ]
        found.sort(key=lambda view: (view.start_time, view.condition_id), reverse=True)
        total = len(found)
        token = query.pagination_key()
        if token is not None:
            try:
                place = (from_date(token["start_date"]), token["condition_id"])
            except (KeyError, TypeError, ValueError):
                raise bad("Invalid pagination key", "pagination_key is invalid or corrupted") from None
            found = [view for view in found if (view.start_time, view.condition_id) < place]
        page, more = found[offset : offset + limit], len(found) > offset + limit
        pagination: dict[str, Any] = {"limit": limit, "total": total, "has_more": more}
        if more:
            last = page[-1]
            pagination["pagination_key"] = mint(
                {"start_date": as_date(last.start_time), "condition_id": last.condition_id}
            )
        rows = [books.market_json(view.condition_id, now, winner_as_object(view.start_time)) for view in page]
        return listing("markets", rows, pagination)

    def events(query: Query, now: int) -> Response:
        limit, offset = query.limit(10, 100), query.offset()
        start, end = query.window()
        slug, status = query.text("event_slug"), query.text("status")
        if status not in (None, "open", "closed"):
            raise bad("Invalid status parameter", "status must be 'open' or 'closed'")
        tags = {tag.lower() for tag in query.many("tags")}
        found = [
            view
            for view in books.events(now)
            if (slug is None or view.slug == slug)
            and (status is None or view.status == status)
            and (not tags or not tags.isdisjoint(tag.lower() for tag in view.tags))
            and (start is None or view.start_time >= start)
            and (end is None or view.start_time <= end)
        ]
        # A keyset on a number that moves: a walk can repeat or miss events, as on the live API.
        found.sort(key=lambda view: (view.volume, view.slug), reverse=True)
        token = query.pagination_key()
        if token is not None:
            try:
                place = (float(token["lastVolume"]), str(token["lastEventSlug"]))
            except (KeyError, TypeError, ValueError):
                raise bad("Invalid pagination key", "pagination_key is invalid or corrupted") from None
            found = [view for view in found if (view.volume, view.slug) < place]
        page, more = found[offset : offset + limit], len(found) > offset + limit
        pagination: dict[str, Any] = {"limit": limit, "has_more": more, "pagination_key": None}
        if more:
            pagination["pagination_key"] = mint({"lastVolume": page[-1].volume, "lastEventSlug": page[-1].slug})
        with_markets = query.text("include_markets") == "true"
        rows = [books.event_json(view.slug, now, with_markets) for view in page]
        return listing("events", rows, pagination)

    def wallet(query: Query, now: int) -> Response:
        given = {name: query.text(name) for name in ("eoa", "proxy", "handle")}
        chosen = {name: value for name, value in given.items() if value}
        if not chosen:
            raise bad("BAD_REQUEST", "Either eoa, proxy, or handle parameter must be provided")
        if len(chosen) > 1:
            raise bad("BAD_REQUEST", "Only one of eoa, proxy, or handle can be provided")
        ((name, value),) = chosen.items()
        if name != "handle" and not _ADDRESS.fullmatch(value or ""):
            raise bad("BAD_REQUEST", "Invalid wallet address format")
        address = (value or "").lower()
        if name == "eoa":
            address = "0x" + address[2:][::-1]
        elif name == "handle":
            address = books.wallet_of_handle(value or "") or ""
        body = books.wallet_json(address, now, query.text("with_metrics") == "true")
        if body is None:
            raise Refused(404, "NOT_FOUND", "Wallet not found")
        return Response(body, media_type="application/json")

    def market_price(query: Query, now: int, token_id: str) -> Response:
        at = query.moment("at_time") or now
        points = source.data.prices(token_id, min(at, now))
        if not points:
            raise Refused(404, "Not found", "Market with the provided token_id not found")
        return Response(encode({"price": points[-1][1], "at_time": at}), media_type="application/json")

    def candlesticks(query: Query, now: int, condition_id: str) -> Response:
        start, end = query.window()
        if start is None or end is None:
            body = {"error": "Missing required query parameters"}
            body["required"] = "start_time, end_time"
            return Response(encode(body), 400, media_type="application/json")
        text = query.text("interval") or "1"
        if text not in ("1", "60", "1440"):
            raise bad("Invalid interval parameter", "interval must be 1, 60 or 1440")
        interval = int(text)
        if end - start > CANDLE_RANGES[interval]:
            raise bad("Invalid time range", "the time range is too long for the interval")
        sides = books.sides(condition_id)
        charts = []
        for token_id, label in sides:
            points = source.data.prices(token_id, min(now, end))
            charts.append([candles(points, start, interval * 60), {"token_id": token_id, "side": label}])
        return Response(encode({"candlesticks": charts}), media_type="application/json")

    def guarded(handler: Callable[..., Response]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            try:
                if request.headers.get("authorization") != f"Bearer {manners.api_key}":
                    raise Refused(403, "Forbidden", "Authentication required")
                return handler(Query(request), request.state.now, **request.path_params)
            except Refused as refusal:
                return refusal.response()

        return answer

    return [
        Route("/polymarket/orders", guarded(orders)),
        Route("/polymarket/activity", guarded(activity)),
        Route("/polymarket/markets", guarded(markets)),
        Route("/polymarket/events", guarded(events)),
        Route("/polymarket/wallet", guarded(wallet)),
        Route("/polymarket/market-price/{token_id}", guarded(market_price)),
        Route("/polymarket/candlesticks/{condition_id}", guarded(candlesticks)),
    ]


def candles(points: list[tuple[int, float]], start: int, width: int) -> list[dict[str, Any]]:
    """Open, high, low and close of each period with a match; the period is named by its end."""
    periods: dict[int, list[float]] = {}
    for at, price in points:
        if at >= start:
            periods.setdefault(at - at % width + width, []).append(price)
    return [
        {
            "end_period_ts": end,
            "open_interest": 0,
            "price": {
                "open": prices[0],
                "high": max(prices),
                "low": min(prices),
                "close": prices[-1],
                "open_dollars": f"{prices[0]:.4f}",
                "high_dollars": f"{max(prices):.4f}",
                "low_dollars": f"{min(prices):.4f}",
                "close_dollars": f"{prices[-1]:.4f}",
            },
            "volume": len(prices),
        }
        for end, prices in periods.items()
    ]
