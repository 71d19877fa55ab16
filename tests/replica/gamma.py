"""Gamma: keyset lists of markets and events, deprecated offset lists, single objects, tags.

A keyset page is `{"markets" | "events": [...], "next_cursor": "..."}`; the last has no cursor.
Only `after_cursor` moves on. What is unknown is ignored in silence, and that includes `cursor` and
`next_cursor`. Errors: 422 `{"type": "validation error", "error": "..."}`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.replica.clock import to_epoch
from tests.replica.rows import encode
from tests.replica.source import EventView, GammaCatalogue, MarketView, Source, id_order

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_CONDITION_IDS = 100
#: Longer request targets (path and query) are refused with 414.
MAX_URL = 8_192
#: The offset lists stop here.
MAX_OFFSET = 2_000
SCHEMAS = "https://gamma-api.polymarket.com/schemas"

ORDERS = frozenset(
    "id volume volumeNum volume24hr liquidity liquidityNum createdAt startDate endDate updatedAt closedTime".split()
)


class Invalid(Exception):
    """A parameter that Gamma refuses."""

    def response(self) -> Response:
        body = encode({"type": "validation error", "error": str(self)})
        return Response(body, 422, media_type="application/json")


class Query:
    """The parameters that Gamma understands. A parameter may be repeated."""

    def __init__(self, request: Request) -> None:
        self.params = request.query_params

    def boolean(self, name: str, default: bool | None) -> bool | None:
        value = self.params.get(name)
        if value is None or value == "":
            return default
        if value.lower() not in ("true", "false"):
            raise Invalid(f"{name} is not a valid boolean")
        return value.lower() == "true"

    def integer(self, name: str, default: int) -> int:
        value = self.params.get(name)
        if value is None or value == "":
            return default
        if not value.isdigit():
            raise Invalid(f"{name} is not a valid integer")
        return int(value)

    def limit(self) -> int:
        """What is above the maximum is clamped in silence."""
        return min(self.integer("limit", DEFAULT_LIMIT) or DEFAULT_LIMIT, MAX_LIMIT)

    def many(self, name: str) -> frozenset[str] | None:
        values = [value for value in self.params.getlist(name) if value]
        return frozenset(values) if values else None

    def moment(self, name: str) -> int | None:
        value = self.params.get(name)
        if not value:
            return None
        try:
            return to_epoch(value)
        except ValueError:
            raise Invalid(f"{name} is not a valid date") from None

    def amount(self, name: str) -> int | None:
        """A bound in dollars, as millionths."""
        value = self.params.get(name)
        if not value:
            return None
        try:
            return int(float(value) * 1_000_000)
        except ValueError:
            raise Invalid(f"{name} is not a valid number") from None

    def order(self) -> tuple[list[str], bool]:
        names = (self.params.get("order") or "id").split(",")
        if not set(names) <= ORDERS:
            raise Invalid("order fields are not valid")
        return names, bool(self.boolean("ascending", True))

    def fingerprint(self) -> str:
        """What a cursor is bound to: the filters, but neither the page nor its size."""
        rest = sorted(
            pair
            for pair in self.params.multi_items()
            if pair[0] not in ("after_cursor", "limit", "cursor", "next_cursor")
        )
        return hashlib.md5(repr(rest).encode()).hexdigest()[:12]


def mint_cursor(place: list[Any], fingerprint: str) -> str:
    return base64.urlsafe_b64encode(encode({"k": place, "q": fingerprint})).decode()


def read_cursor(text: str, fingerprint: str) -> list[Any]:
    try:
        token = msgspec.json.decode(base64.b64decode(text, altchars=b"-_", validate=True))
        if token["q"] == fingerprint:
            place: list[Any] = token["k"]
            return place
    except (ValueError, KeyError, TypeError, binascii.Error):
        pass
    raise Invalid("invalid after_cursor")


RANGES = (
    ("start_date_min", "startDate", 1),
    ("start_date_max", "startDate", -1),
    ("end_date_min", "endDate", 1),
    ("end_date_max", "endDate", -1),
    ("volume_num_min", "volumeNum", 1),
    ("volume_num_max", "volumeNum", -1),
    ("liquidity_num_min", "liquidityNum", 1),
    ("liquidity_num_max", "liquidityNum", -1),
)


def within_ranges(query: Query, value_of: Callable[[str], Any]) -> bool:
    for parameter, name, sign in RANGES:
        bound = query.moment(parameter) if "date" in parameter else query.amount(parameter)
        if bound is not None and sign * value_of(name) < sign * bound:
            return False
    return True


def value_of(lookup: Callable[[str, str, int], Any], key: str, now: int, name: str) -> Any:
    """`lookup` with the field's name last."""
    return lookup(key, name, now)


def has_ranges(query: Query) -> bool:
    return any(query.params.get(parameter) for parameter, _, _ in RANGES)


def select_markets(catalogue: GammaCatalogue, query: Query, now: int) -> list[MarketView]:
    """The markets that pass the filters, by ascending id. `closed` defaults to false: a lookup of a
    closed market by its condition id finds nothing unless `closed=true` is sent."""
    conditions = query.many("condition_ids")
    if len(query.params.getlist("condition_ids")) > MAX_CONDITION_IDS:
        raise Invalid(f"condition_ids accepts at most {MAX_CONDITION_IDS} values")
    ids, slugs, tokens = query.many("id"), query.many("slug"), query.many("clob_token_ids")
    tags = query.many("tag_id")
    closed, active = query.boolean("closed", False), query.boolean("active", None)
    uma_status = query.params.get("uma_resolution_status")
    ranged = has_ranges(query)
    return [
        view
        for view in catalogue.markets(now)
        if view.closed == closed
        and (active is None or view.active == active)
        and (conditions is None or view.condition_id in conditions)
        and (ids is None or view.id in ids)
        and (slugs is None or view.slug in slugs)
        and (tokens is None or not tokens.isdisjoint(view.token_ids))
        and (tags is None or not tags.isdisjoint(view.tag_ids))
        and (not uma_status or view.uma_status == uma_status)
        and (not ranged or within_ranges(query, partial(value_of, catalogue.market_value, view.id, now)))
    ]


def select_events(catalogue: GammaCatalogue, query: Query, now: int) -> list[EventView]:
    ids, slugs = query.many("id"), query.many("slug")
    tags, tag_slugs = query.many("tag_id"), query.many("tag_slug")
    closed, active = query.boolean("closed", False), query.boolean("active", None)
    ranged = has_ranges(query)
    return [
        view
        for view in catalogue.events(now)
        if view.closed == closed
        and (active is None or view.active == active)
        and (ids is None or view.id in ids)
        and (slugs is None or view.slug in slugs)
        and (tags is None or not tags.isdisjoint(view.tag_ids))
        and (tag_slugs is None or not tag_slugs.isdisjoint(view.tag_slugs))
        and (not ranged or within_ranges(query, partial(value_of, catalogue.event_value, view.id, now)))
    ]


def routes(source: Source) -> list[Route]:
    catalogue = source.gamma

    def market_text(view: Any, query: Query, now: int) -> bytes:
        return catalogue.market_json(view.id, now, bool(query.boolean("include_tag", False)))

    def event_text(view: Any, query: Query, now: int) -> bytes:
        return catalogue.event_json(view.id, now, bool(query.boolean("include_markets", True)))

    kinds: dict[str, tuple[Any, Any, Any, str]] = {
        "markets": (select_markets, catalogue.market_value, market_text, "Markets"),
        "events": (select_events, catalogue.event_value, event_text, "Events"),
    }

    def ordered(kind: str, query: Query, now: int) -> list[tuple[list[Any], Any]]:
        """(sort key, view), in the order asked for. The id breaks ties."""
        select, lookup, _, _ = kinds[kind]
        names, ascending = query.order()
        keyed: list[tuple[list[Any], Any]] = []
        for view in select(catalogue, query, now):
            values = [lookup(view.id, name, now) for name in names if name != "id"]
            keyed.append(([*values, *id_order(view.id)], view))
        keyed.sort(key=lambda pair: pair[0], reverse=not ascending)
        return keyed

    def keyset(kind: str) -> Callable[[Request], Any]:
        write = kinds[kind][2]

        def answer(query: Query, now: int) -> Response:
            if "offset" in query.params:
                raise Invalid("offset is not supported on keyset endpoints, use after_cursor")
            limit, fingerprint = query.limit(), query.fingerprint()
            rows = ordered(kind, query, now)
            sent = query.params.get("after_cursor")
            if sent:
                place = read_cursor(sent, fingerprint)
                _, ascending = query.order()
                # A keyset: what lies beyond the last row's key now, whatever was inserted since.
                rows = [row for row in rows if (row[0] > place if ascending else row[0] < place)]
            page, more = rows[:limit], len(rows) > limit
            body = b",".join(write(view, query, now) for _, view in page)
            schema = f"{SCHEMAS}/{kinds[kind][3]}KeysetListResponse.json"
            text = b'{"$schema":"%b","%b":[%b]' % (schema.encode(), kind.encode(), body)
            if more:
                text += b',"next_cursor":"%b"' % mint_cursor(page[-1][0], fingerprint).encode()
            return Response(text + b"}", media_type="application/json")

        return endpoint(answer)

    def offset_list(kind: str) -> Callable[[Request], Any]:
        write = kinds[kind][2]

        def answer(query: Query, now: int) -> Response:
            offset = query.integer("offset", 0)
            if offset > MAX_OFFSET:
                raise Invalid(f"offset too large, use /{kind}/keyset for deeper pagination")
            page = ordered(kind, query, now)[offset : offset + query.limit()]
            body = b"[" + b",".join(write(view, query, now) for _, view in page) + b"]"
            headers = {
                "deprecation": "true",
                "sunset": "Fri, 01 May 2026 00:00:00 GMT",
                "warning": f'299 - "use /{kind}/keyset"',
            }
            return Response(body, headers=headers, media_type="application/json")

        return endpoint(answer)

    def single(kind: str, by_slug: bool) -> Callable[[Request], Any]:
        """One object by id or slug, open or closed."""

        async def answer(request: Request) -> Response:
            now, wanted = request.state.now, request.path_params["key"]
            views: Any = catalogue.markets(now) if kind == "markets" else catalogue.events(now)
            for view in views:
                if (view.slug if by_slug else view.id) == wanted:
                    text = kinds[kind][2](view, Query(request), now)
                    return Response(text, media_type="application/json")
            body = encode({"type": "not found error", "error": "id not found"})
            return Response(body, 404, media_type="application/json")

        return answer

    def tags(query: Query, now: int) -> Response:
        offset = query.integer("offset", 0)
        page = catalogue.tags()[offset : offset + query.limit()]
        return Response(b"[" + b",".join(page) + b"]", media_type="application/json")

    table = [Route("/tags", endpoint(tags))]
    for kind in kinds:
        table += [
            Route(f"/{kind}/keyset", keyset(kind)),
            Route(f"/{kind}", offset_list(kind)),
            Route(f"/{kind}/slug/{{key}}", single(kind, by_slug=True)),
            Route(f"/{kind}/{{key}}", single(kind, by_slug=False)),
        ]
    return table


def endpoint(handler: Callable[[Query, int], Response]) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        path = request.url.path.removeprefix("/gamma")
        if len(path) + 1 + len(request.url.query) > MAX_URL:
            return Response("URI Too Long", 414, media_type="text/plain")
        try:
            return handler(Query(request), request.state.now)
        except Invalid as error:
            return error.response()

    return answer
