"""Data API: /v2 (cursor pages, snake_case) and the older routes (offset pages, camelCase).

A page is `{"data": [...], "pagination": {"limit", "offset", "has_more", "next_cursor"}}`.
A cursor is base64 of `{"data": {"type": route, "params": {...}}, "sig": ...}`, as seen on the live
API; it carries the page size and the place to go on from, and nothing of the filters.
An error is `{"error", "code", "retryable", "trace_id"[, "parameter"]}`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import itertools
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.replica.rows import Row, encode, number, quoted, seek
from tests.replica.source import PROTOCOL_CONTRACTS, DataFeeds, PositionView, Source

DAY = 86_400
THREE_YEARS = 3 * 365 * DAY
MAX_LIMIT = 1000
DEFAULT_LIMIT = 100
MAX_SELECTORS = 20
V1_MAX_LIMIT = 500
V1_MAX_OFFSET = 10_000
#: A feed without a last moment ends a day after now.
END_SLACK = DAY

ACTIVITY_TYPES = frozenset(
    "TRADE SPLIT MERGE REDEEM CONVERSION MIGRATION REWARD YIELD MAKER_REBATE TAKER_REBATE"
    " REFERRAL_REWARD DEPOSIT WITHDRAWAL TIP".split()
)
#: Seconds between points -> how far back they are kept.
PRICE_BUCKETS = {60: 7 * DAY, 300: 60 * DAY, 1800: 90 * DAY, 10_800: None, 43_200: None}

#: Boards beside the overall one: Gamma's categories, and two of their own.
BOARDS = "overall politics sports crypto finance culture mentions weather economics tech esports combos".split()

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_CONDITION = re.compile(r"0x(?:[0-9a-fA-F]{62}|[0-9a-fA-F]{64})")
_SECRET = b"replica"
_trace_numbers = itertools.count(1)


def trace_id() -> str:
    return hashlib.md5(str(next(_trace_numbers)).encode()).hexdigest()


class ApiError(Exception):
    """An error of the v2 routes."""

    def __init__(self, message: str, parameter: str | None = None, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.parameter = parameter
        self.code = code

    STATUS = {"invalid_request": 400, "not_found": 404, "method_not_allowed": 405}

    def response(self) -> Response:
        trace = trace_id()
        body = {"error": str(self), "code": self.code, "retryable": False, "trace_id": trace}
        if self.parameter:
            body["parameter"] = self.parameter
        status = self.STATUS[self.code]
        headers = {"x-trace-id": trace}
        return Response(encode(body), status, headers, media_type="application/json")


# -- cursors ----------------------------------------------------------------------------------


def _signature(payload: bytes) -> str:
    return hmac.new(_SECRET, payload, hashlib.md5).hexdigest()


def mint_cursor(kind: str, params: dict[str, Any]) -> str:
    data = {"type": kind, "params": params}
    token = encode({"data": data, "sig": _signature(encode(data))})
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def read_cursor(kind: str, text: str) -> dict[str, Any]:
    """The cursor's parameters; 400 for anything that this route did not mint."""
    try:
        padded = text + "=" * (-len(text) % 4)
        token = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
        data = token["data"]
        genuine = hmac.compare_digest(token["sig"], _signature(encode(data)))
        if genuine and data["type"] == kind:
            params: dict[str, Any] = data["params"]
            return params
    except (ValueError, KeyError, TypeError, binascii.Error):
        pass
    raise ApiError("invalid cursor", "cursor")


# -- parameters -------------------------------------------------------------------------------


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: "_" + found.group(1).lower(), name)


class Parameters:
    """The query, in either spelling. Names that the route does not know are ignored."""

    ALIASES = {"condition_id": "condition"}

    def __init__(self, request: Request) -> None:
        self._values: dict[str, str] = {}
        for name, value in request.query_params.multi_items():
            name = snake(name)
            self._values.setdefault(self.ALIASES.get(name, name), value)
        if "offset" in self._values:
            raise ApiError("'offset' is not supported; page with 'cursor'", "offset")

    def text(self, name: str) -> str | None:
        return self._values.get(name)

    def integer(self, name: str) -> int | None:
        value = self._values.get(name)
        if value is None or value == "":
            return None
        try:
            return int(value)
        except ValueError:
            raise ApiError(f"invalid query param '{name}': {value}", name) from None

    def boolean(self, name: str, default: bool) -> bool:
        value = self._values.get(name)
        if value is None or value == "":
            return default
        if value not in ("true", "false"):
            raise ApiError(f"invalid query param '{name}': {value}", name)
        return value == "true"

    def choice(self, name: str, allowed: Sequence[str], default: str | None) -> str | None:
        value = self._values.get(name)
        if value is None or value == "":
            return default
        if value not in allowed:
            raise ApiError(f"{name} must be one of {', '.join(allowed)}", name)
        return value

    def limit(self, clamp: bool) -> int:
        """Page size. Some routes clamp what is above the maximum in silence, others refuse it."""
        limit = self.integer("limit")
        if limit is None or limit == 0:
            return DEFAULT_LIMIT
        if limit < 0 or (limit > MAX_LIMIT and not clamp):
            raise ApiError(f"limit must be between 0 and {MAX_LIMIT}", "limit")
        return min(limit, MAX_LIMIT)

    def user(self, required: bool) -> str | None:
        user = self.text("user")
        if user is None or user == "":
            if required:
                raise ApiError("required query param 'user' not provided", "user")
            return None
        if not _ADDRESS.fullmatch(user):
            raise ApiError(f"invalid user address: {user}", "user")
        user = user.lower()
        if user in PROTOCOL_CONTRACTS:
            raise ApiError(f"'user' is a known protocol contract address: {user}", "user")
        return user

    def selectors(self, name: str) -> list[str] | None:
        """A comma-separated list of at most 20 distinct values."""
        value = self.text(name)
        if value is None or value == "":
            return None
        values = list(dict.fromkeys(part.strip() for part in value.split(",")))
        if len(values) > MAX_SELECTORS:
            raise ApiError(f"at most {MAX_SELECTORS} distinct values in '{name}'", name)
        return values

    def conditions(self) -> list[str] | None:
        values = self.selectors("condition")
        for value in values or ():
            if not _CONDITION.fullmatch(value):
                raise ApiError(f"invalid condition id: {value}", "condition")
        return None if values is None else [value.lower() for value in values]

    def markets(self, feeds: DataFeeds) -> list[str] | None:
        """The condition ids that `condition` or `event_id` select."""
        conditions, events = self.conditions(), self.selectors("event_id")
        if conditions is not None and events is not None:
            raise ApiError("'condition' and 'event_id' are mutually exclusive", "event_id")
        for event_id in events or ():
            if not event_id.isalnum():
                raise ApiError(f"invalid event id: {event_id}", "event_id")
        return conditions if events is None else feeds.conditions_of_events(events)

    def window(self, now: int) -> tuple[int, int]:
        """First and last moment. No start, or 0, means three years back; 1 means everything."""
        start, end = self.integer("start"), self.integer("end")
        return start or now - THREE_YEARS, end or now + END_SLACK


# -- answers ----------------------------------------------------------------------------------


def page_response(rows: list[str], limit: int, cursor: str | None, *, offset: int = 0) -> Response:
    following = "null" if cursor is None else f'"{cursor}"'
    text = (
        f'{{"data":[{",".join(rows)}],"pagination":{{"limit":{limit},"offset":{offset},'
        f'"has_more":{"false" if cursor is None else "true"},"next_cursor":{following}}}}}'
    )
    return data_response(text)


def data_response(text: str) -> Response:
    headers = {"x-trace-id": trace_id()}
    return Response(text, headers=headers, media_type="application/json")


def previous_month_start(now: int) -> int:
    day = datetime.fromtimestamp(now, UTC)
    year, month = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp())


def size_filter(query: Parameters, feeds: DataFeeds) -> Callable[[Row], bool] | None:
    """filter_type and filter_amount; without an amount (or with 0) only dust is hidden."""
    kind = query.choice("filter_type", ("CASH", "TOKENS"), "TOKENS")
    text = query.text("filter_amount")
    try:
        amount = Decimal(text) if text else Decimal(0)
    except InvalidOperation:
        raise ApiError(f"invalid query param 'filter_amount': {text}", "filter_amount") from None
    if amount <= 0:
        least = feeds.dust_micro
        return (lambda row: row.shares_micro >= least) if least else None
    least = int(amount * 1_000_000)
    if kind == "CASH":
        return lambda row: row.usdc_micro >= least
    return lambda row: row.shares_micro >= least


def feed_page(
    kind: str,
    rows: Sequence[Row],
    keep: Callable[[Row], bool],
    write: Callable[[Row], str],
    *,
    window: tuple[int, int],
    query: Parameters,
    limit: int,
    descending: bool = True,
) -> Response:
    anchor = None
    sent = query.text("cursor")
    if sent is not None:
        params = read_cursor(kind, sent)
        # The cursor's page size and direction win over the query's.
        limit, descending = params["l"], params["d"] == 2
        anchor = (params["ts"], int(params["sq"]))
    first, last = window
    page, more = seek(rows, keep, first=first, last=last, anchor=anchor, descending=descending, limit=limit)
    cursor = None
    if more:
        end = page[-1]
        place = {"l": limit, "ts": end.timestamp, "sq": str(end.sequence_id)}
        cursor = mint_cursor(kind, place | {"d": 2 if descending else 1})
    return page_response([write(row) for row in page], limit, cursor)


def routes(source: Source) -> list[Route]:
    feeds = source.data

    def trades(query: Parameters, now: int) -> Response:
        user = query.user(required=False)
        markets = query.markets(feeds)
        limit = query.limit(clamp=True)
        taker_only = query.boolean("taker_only", True)
        side = query.choice("side", ("BUY", "SELL"), None)
        big_enough = size_filter(query, feeds)
        if user is not None:
            rows, window = feeds.trades_of_wallet(user), query.window(now)
        elif markets is not None:
            rows, window = feeds.trades_of_markets(markets), (now - THREE_YEARS, now + END_SLACK)
        else:
            rows, window = feeds.trades(), (previous_month_start(now), now + END_SLACK)
        wanted = None if user is None or markets is None else frozenset(markets)
        is_taker, side_of = feeds.is_taker, feeds.side

        def keep(row: Row) -> bool:
            return (
                row.visible_at <= now
                and (not taker_only or is_taker(row))
                and (big_enough is None or big_enough(row))
                and (side is None or side_of(row) == side)
                and (wanted is None or row.condition_id in wanted)
            )

        return feed_page(
            "trades",
            rows,
            keep,
            lambda row: feeds.trade_json(row, now),
            window=(window[0], min(window[1], now)),
            query=query,
            limit=limit,
        )

    def activity(query: Parameters, now: int) -> Response:
        user = query.user(required=True) or ""
        markets = query.markets(feeds)
        limit = query.limit(clamp=False)
        side = query.choice("side", ("BUY", "SELL"), None)
        query.choice("sort_by", ("TIMESTAMP",), "TIMESTAMP")
        direction = query.choice("sort_direction", ("ASC", "DESC"), "DESC")
        no_transfers = query.boolean("exclude_deposits_withdrawals", True)
        named = query.text("type")
        types = set(named.split(",")) if named else set(ACTIVITY_TYPES) - {"TIP"}
        for unknown in sorted(types - ACTIVITY_TYPES):
            raise ApiError(f"invalid activity type: {unknown}", "type")
        if no_transfers:
            types -= {"DEPOSIT", "WITHDRAWAL"}
        wanted = None if markets is None else frozenset(markets)
        side_of, type_of = feeds.side, feeds.activity_type

        def keep(row: Row) -> bool:
            return (
                row.visible_at <= now
                and type_of(row) in types
                and (side is None or side_of(row) == side)
                and (wanted is None or row.condition_id in wanted)
            )

        first, last = query.window(now)
        return feed_page(
            "activity",
            feeds.activity_of_wallet(user),
            keep,
            lambda row: feeds.activity_json(row, now),
            window=(first, min(last, now)),
            query=query,
            limit=limit,
            descending=direction == "DESC",
        )

    def leaderboard(query: Parameters, now: int) -> Response:
        period = query.choice("time_period", ("day", "week", "month", "all"), None)
        sort_by = query.choice("sort_by", ("PNL", "VOLUME"), None)
        category = query.choice("category", BOARDS, None)
        user = query.user(required=False)
        if user is not None:
            return data_response(f'{{"data":{one_standing(feeds, user, period or "day", now)}}}')
        limit, offset = query.limit(clamp=True), 0
        sent = query.text("cursor")
        if sent is not None:
            pinned = read_cursor("leaderboard", sent)
            for name, value, key in (
                ("sort_by", sort_by, "s"),
                ("time_period", period, "t"),
                ("category", category, "c"),
            ):
                if value is not None and value != pinned[key]:
                    raise ApiError(f"'{name}' contradicts the cursor", name)
            limit, offset = pinned["l"], pinned["o"]
            sort_by, period, category = pinned["s"], pinned["t"], pinned["c"]
        sort_by, period = sort_by or "PNL", period or "day"
        board = feeds.leaderboard(period, sort_by, now, category or "overall")
        measure = "pnl_micro" if sort_by == "PNL" else "volume_micro"
        rows = []
        for place in range(offset, min(offset + limit, len(board))):
            standing = board[place]
            value = getattr(standing, measure)
            rank = place + 1
            # Equals share a rank and the next one jumps.
            while rank > 1 and getattr(board[rank - 2], measure) == value:
                rank -= 1
            rows.append(
                f'{{"rank":{rank},"user_id":"{standing.wallet}",'
                f'"pnl":{number(standing.pnl_micro / 1e6)},'
                f'"volume":{number(standing.volume_micro / 1e6)},'
                f'"user_name":{quoted(standing.name)},"profile_image":"","x_username":"",'
                f'"verified":false}}'
            )
        cursor = None
        if offset + limit < len(board):
            board_name = {"s": sort_by, "t": period, "c": category or "overall"}
            cursor = mint_cursor("leaderboard", {"l": limit, "o": offset + limit, **board_name})
        return page_response(rows, limit, cursor, offset=offset)

    def positions(query: Parameters, now: int) -> Response:
        user = query.user(required=False)
        conditions = query.conditions()
        if user is None:
            raise ApiError("required query param 'user' or 'condition' not provided", "user")
        statuses = ("OPEN", "REDEEMABLE", "REDEEMABLE_LOST", "MERGEABLE", "CLOSED")
        sorts = ("CURRENT_VALUE", "PRICE", "TOKENS", "UNREALIZED_PNL", "REALIZED_PNL", "TOTAL_PNL")
        status = query.choice("status", statuses, None)
        sort_by = query.choice("sort_by", (*sorts, "TIMESTAMP"), None)
        direction = query.choice("sort_direction", ("ASC", "DESC"), None)
        limit, offset = query.limit(clamp=True), 0
        sent = query.text("cursor")
        if sent is not None:
            pinned = read_cursor("positions", sent)
            for value, key in ((status, "st"), (sort_by, "s"), (direction, "d")):
                if value is not None and value != pinned[key]:
                    raise ApiError("invalid cursor", "cursor")
            limit, offset = pinned["l"], pinned["o"]
            status, sort_by, direction = pinned["st"], pinned["s"], pinned["d"]
        status, direction = status or "OPEN", direction or "DESC"
        if status == "CLOSED" and query.boolean("include_archived", False):
            raise ApiError("'include_archived' is not supported on CLOSED positions", "include_archived")
        default_sort = {"CLOSED": "REALIZED_PNL", "MERGEABLE": "TOKENS"}.get(status)
        sort_by = sort_by or default_sort or "CURRENT_VALUE"
        text = query.text("filter_amount")
        least = int(Decimal(text) * 1_000_000) if text else 100_000
        wanted = None if conditions is None else frozenset(conditions)

        def keep(view: PositionView) -> bool:
            if wanted is not None and view.condition_id not in wanted:
                return False
            if status == "CLOSED":
                return view.status == "CLOSED"
            lost = view.status == "REDEEMABLE" and view.sort_keys["PRICE"] == 0
            return (
                view.status != "CLOSED"
                and view.size_micro >= least
                and (status != "REDEEMABLE" or view.status == "REDEEMABLE")
                and (status != "REDEEMABLE_LOST" or lost)
                and (status != "MERGEABLE" or view.mergeable)
            )

        views = [view for view in feeds.positions(user, now) if keep(view)]
        views.sort(key=lambda view: view.sort_keys[sort_by], reverse=direction == "DESC")
        page = [view.json.decode() for view in views[offset : offset + limit]]
        cursor = None
        if offset + limit < len(views):
            walk = {"st": status, "s": sort_by, "d": direction}
            cursor = mint_cursor("positions", {"l": limit, "o": offset + limit, **walk})
        return page_response(page, limit, cursor, offset=offset)

    def resolutions(query: Parameters, now: int) -> Response:
        given = [name for name in ("question_id", "condition", "event_id") if query.text(name)]
        if len(given) != 1:
            raise ApiError("provide exactly one of 'question_id', 'condition', or 'event_id'")
        if given == ["question_id"]:
            # Questions have no table of their own here.
            return data_response('{"data":[]}')
        found = (feeds.resolution_json(market, now) for market in query.markets(feeds) or ())
        return data_response('{"data":[' + ",".join(row for row in found if row) + "]}")

    def prices_history(query: Parameters, now: int) -> Response:
        token = query.text("token_id")
        if not token:
            raise ApiError("required query param 'token_id' not provided", "token_id")
        start, end = query.integer("start"), query.integer("end")
        for name, value in (("start", start), ("end", end)):
            if value == 0:
                raise ApiError(f"'{name}' must not be 0", name)
        last = min(end or now, now)
        spans = {"1h": 3600, "6h": 21_600, "1d": DAY, "1w": 7 * DAY, "1m": 30 * DAY}
        interval = query.choice("interval", (*spans, "max", "all"), None)
        first = start if start is not None else last - spans[interval] if interval in spans else 0
        bucket = query.integer("bucket_seconds")
        if bucket is None:
            age = now - first
            bucket = next(size for size, kept in PRICE_BUCKETS.items() if not kept or age <= kept)
        elif bucket not in PRICE_BUCKETS:
            raise ApiError("invalid bucket_seconds", "bucket_seconds")
        reach = PRICE_BUCKETS[bucket]
        if reach is not None and now - first > reach:
            raise ApiError("bucket_seconds is finer than what is kept from 'start'", "start")
        limit = query.limit(clamp=True)
        sent = query.text("cursor")
        if sent is not None:
            params = read_cursor("prices_history", sent)
            limit, first, bucket = params["l"], params["ts"] + 1, int(params["sq"])
        closes: dict[int, float] = {}
        for at, price in feeds.prices(token, now):
            slot = at - at % bucket
            if first <= slot <= last:
                closes[slot] = price
        points = list(closes.items())
        rows = [
            f'{{"timestamp":{at},"price":{number(price)},"resolution_seconds":{bucket}}}'
            for at, price in points[:limit]
        ]
        cursor = None
        if len(points) > limit:
            place = {"l": limit, "ts": points[limit - 1][0], "sq": str(bucket), "d": 1}
            cursor = mint_cursor("prices_history", place)
        return page_response(rows, limit, cursor)

    def status(query: Parameters, now: int) -> Response:
        computed = datetime.fromtimestamp(now - 24, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        value = {
            "computed_at": computed,
            "age_seconds": 24,
            "serving": {
                "lag_seconds": 4,
                "worst": "activity_feed",
                "mechanisms": [{"name": "activity_feed", "age_seconds": 4}],
            },
            "ingestion": {"network": "polygon", "chain_id": 137, "lagging": []},
        }
        return data_response('{"data":' + encode(value).decode() + "}")

    def v1(activity: bool) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            return v1_page(feeds, request, activity)

        return answer

    async def v1_leaderboard(request: Request) -> Response:
        board = feeds.leaderboard("all", "PNL", request.state.now)
        limit = min(int(request.query_params.get("limit", 25)), 50)
        offset = int(request.query_params.get("offset", 0))
        rows = [
            {
                "rank": str(place + 1),
                "proxyWallet": board[place].wallet,
                "userName": board[place].name,
                "xUsername": "",
                "verifiedBadge": False,
                "vol": board[place].volume_micro / 1e6,
                "pnl": board[place].pnl_micro / 1e6,
                "profileImage": "",
            }
            for place in range(offset, min(offset + limit, len(board)))
        ]
        return Response(encode(rows), media_type="application/json")

    v2 = {
        "/v2/trades": trades,
        "/v2/activity": activity,
        "/v2/leaderboard": leaderboard,
        "/v2/positions": positions,
        "/v2/resolutions": resolutions,
        "/v2/prices-history": prices_history,
        "/v2/status": status,
    }
    every_method = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    return [
        *(Route(path, v2_endpoint(handler), methods=every_method) for path, handler in v2.items()),
        Route("/v2/{rest:path}", unknown_route, methods=every_method),
        Route("/trades", v1(activity=False)),
        Route("/activity", v1(activity=True)),
        Route("/v1/leaderboard", v1_leaderboard),
    ]


def v2_endpoint(handler: Callable[[Parameters, int], Response]) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        try:
            if request.method not in ("GET", "HEAD"):
                raise ApiError("method not allowed", code="method_not_allowed")
            return handler(Parameters(request), request.state.now)
        except ApiError as error:
            return error.response()

    return answer


async def unknown_route(request: Request) -> Response:
    return ApiError("no such route", code="not_found").response()


def one_standing(feeds: DataFeeds, user: str, period: str, now: int) -> str:
    """One wallet's place on both boards, or null."""
    boards = {name: feeds.leaderboard(period, name, now) for name in ("PNL", "VOLUME")}
    for place, standing in enumerate(boards["PNL"], 1):
        if standing.wallet == user:
            volumes = [row.wallet for row in boards["VOLUME"]]
            fields = {
                "user_id": user,
                "rank_pnl": place,
                "rank_volume": volumes.index(user) + 1,
                "pnl": standing.pnl_micro / 1e6,
                "volume": standing.volume_micro / 1e6,
                "user_name": standing.name,
            }
            return encode(fields).decode()
    return "null"


def v1_page(feeds: DataFeeds, request: Request, activity: bool) -> Response:
    """The retiring routes: bare lists, `limit` up to 500 (clamped), `offset` up to 10,000 (400)."""
    query, now = request.query_params, request.state.now
    user = query.get("user", "").lower()
    try:
        limit = min(int(query.get("limit", DEFAULT_LIMIT)), V1_MAX_LIMIT)
        offset = int(query.get("offset", 0))
        start, end = int(query.get("start", 0)), int(query.get("end", 0))
    except ValueError as error:
        return v1_error(str(error))
    if offset > V1_MAX_OFFSET:
        return v1_error(f"max historical activity offset of {V1_MAX_OFFSET} exceeded")
    if activity and not user:
        return v1_error("required query param 'user' not provided")
    rows = feeds.v1_activity(user) if activity else feeds.v1_trades(user or None)
    taker_only = not activity and query.get("takerOnly", "true") == "true"
    asked = query.get("market")
    markets = frozenset(asked.split(",")) if asked else None
    types = set(query["type"].split(",")) if query.get("type") else ACTIVITY_TYPES - {"TIP"}

    def keep(row: Row) -> bool:
        return (
            row.visible_at <= now
            and (not taker_only or feeds.is_taker(row))
            and (markets is None or row.condition_id in markets)
            and (not activity or feeds.activity_type(row) in types)
        )

    page, _ = seek(
        rows,
        keep,
        first=start or now - THREE_YEARS,
        last=min(end or now, now),
        anchor=None,
        descending=query.get("sortDirection", "DESC") == "DESC",
        limit=offset + limit,
    )
    texts = (feeds.v1_json(row, now, activity) for row in page[offset:])
    return Response("[" + ",".join(texts) + "]", media_type="application/json")


def v1_error(message: str) -> Response:
    return Response(encode({"error": message}), 400, media_type="application/json")
