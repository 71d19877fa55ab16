"""Smarkets v3: an event tree in pages, and batches of markets, contracts, quotes, last prices and volumes by id.

Manners: array parameters repeat the key; more ids than a path takes are 414; ids that are not known, and contracts
without a price, are silently absent; without `state` only events that are new, upcoming or live are listed; every
answer says how much of the rate limit is left, and one request too many is 429 with Retry-After. Without a session
token prices are delayed.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from tests.replica.clock import to_epoch
from tests.replica.rows import encode
from tests.replica.venues.smarkets_world import OLD_TYPES, SmarketsWorld, iso, slug

Json = dict[str, Any]

STATES = ("new", "upcoming", "live", "ended", "settled", "cancelled", "suspended")
DEFAULT_STATES = ("new", "upcoming", "live")
DOMAINS = ("politics", "current_affairs", "tv_and_entertainment", "football", "tennis", "cricket")
SCOPES = ("single_event", "outright")
#: Most ids in one path.
CAPS = {"markets": 50, "contracts": 100, "quotes": 200, "last_executed_prices": 100, "volumes": 300}
EVENT_PARAMETERS = {
    "id", "state", "type", "type_domain", "type_scope", "with_new_type", "parent_id", "start_datetime_min",
    "start_datetime_max", "last_modified_min", "last_modified_max", "sort", "limit", "include_hidden",
    "pagination_last_id", "inplay_enabled",
}  # fmt: skip


@dataclass
class Manners:
    """`limit` requests in any `window` seconds by `clock` (this computer's, as a server's limits are); `delay` is how
    old prices are."""

    limit: int = 20
    window: float = 60.0
    delay: int = 30
    clock: Callable[[], float] = time.monotonic
    _times: deque[float] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self) -> tuple[int, float]:
        """Takes note of a request; (requests in the window with it, seconds until the oldest leaves it)."""
        now = self.clock()
        with self._lock:
            while self._times and now - self._times[0] >= self.window:
                self._times.popleft()
            if len(self._times) < self.limit:
                self._times.append(now)
                return len(self._times), self.window - (now - self._times[0])
            return self.limit + 1, self.window - (now - self._times[0])


class Listing(Protocol):
    """What the routes serve: a world, or recorded answers. All JSON is as of `now`."""

    def events(self, now: int, new_type: bool) -> list[EventRow]: ...
    def markets(self, event_ids: Sequence[str], now: int) -> list[Any]: ...
    def contracts(self, market_ids: Sequence[str], now: int) -> list[Any]: ...
    def quotes(self, market_ids: Sequence[str], now: int) -> dict[str, Any]: ...
    def last_prices(self, market_ids: Sequence[str], now: int) -> dict[str, Any]: ...
    def volumes(self, market_ids: Sequence[str], now: int) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event with what the filters look at; `json` leaves as it stands."""

    id: str
    state: str
    domain: str
    type: str
    parent_id: str | None
    start_at: int | None
    modified_at: int
    hidden: bool
    json: Any


class Refused(Exception):
    def __init__(self, status: int, error_type: str, data: Any, **headers: str) -> None:
        super().__init__(error_type)
        self.status, self.body, self.headers = status, {"error_type": error_type, "data": data}, headers


def invalid(message: str) -> Refused:
    return Refused(400, "REQUEST_VALIDATION_ERROR", message)


def mount(served: Listing | SmarketsWorld, manners: Manners | None = None) -> Mount:
    """The API under /smarkets/v3."""
    listing = WorldListing(served) if isinstance(served, SmarketsWorld) else served
    return Mount("/smarkets/v3", routes=routes(listing, manners or Manners()))


def routes(listing: Listing, manners: Manners) -> list[BaseRoute]:
    def guarded(handler: Callable[[Request, int], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            count, reset = manners.count()
            seconds = max(1, math.ceil(reset))
            headers = {
                "x-ratelimit-limit": str(manners.limit),
                "x-ratelimit-remaining": str(max(0, manners.limit - count)),
                "x-ratelimit-reset": str(seconds),
            }
            now: int = request.state.now
            if count > manners.limit:
                data = {"limit": manners.limit, "count": count, "expiry": iso(now + seconds)}
                body = {"error_type": "RATE_LIMIT_EXCEEDED", "data": data}
                return _json(body, 429, {**headers, "retry-after": str(seconds)})
            try:
                return _json(handler(request, now), 200, headers)
            except Refused as refused:
                return _json(refused.body, refused.status, headers)

        return answer

    def ids(request: Request, what: str) -> list[str]:
        named = [text for text in request.path_params["ids"].split(",") if text]
        if not named or not all(text.isdecimal() for text in named):
            raise invalid(f"{what}: ids must be integers")
        if len(named) != len(set(named)):
            raise invalid(f"{what}: ids are not unique")
        if len(named) > CAPS[what]:
            raise Refused(414, "REQUEST_TOO_LARGE", f"at most {CAPS[what]} ids")
        return named

    def events(request: Request, now: int) -> Json:
        query = _EventQuery(request)
        rows = sorted(listing.events(now, query.new_type), key=lambda row: int(row.id))
        found = [row for row in rows if query.takes(row)]
        page, more = found[: query.limit], len(found) > query.limit
        next_page = query.following(page[-1].id) if more else None
        return {"events": [row.json for row in page], "pagination": {"next_page": next_page}}

    def markets(request: Request, now: int) -> Json:
        return {"markets": listing.markets(ids(request, "markets"), now)}

    def contracts(request: Request, now: int) -> Json:
        return {"contracts": listing.contracts(ids(request, "contracts"), now)}

    def quotes(request: Request, now: int) -> Json:
        return listing.quotes(ids(request, "quotes"), now - manners.delay)

    def last_prices(request: Request, now: int) -> Json:
        named = ids(request, "last_executed_prices")
        return {"last_executed_prices": listing.last_prices(named, now - manners.delay)}

    def volumes(request: Request, now: int) -> Json:
        return {"volumes": listing.volumes(ids(request, "volumes"), now)}

    return [
        Route("/events/", guarded(events)),
        Route("/events/{ids}/markets/", guarded(markets)),
        Route("/markets/{ids}/contracts/", guarded(contracts)),
        Route("/markets/{ids}/quotes/", guarded(quotes)),
        Route("/markets/{ids}/last_executed_prices/", guarded(last_prices)),
        Route("/markets/{ids}/volumes/", guarded(volumes)),
    ]


def _json(value: Any, status: int, headers: dict[str, str]) -> Response:
    return Response(encode(value), status, headers, media_type="application/json")


class _EventQuery:
    """The parameters of /events/, checked."""

    def __init__(self, request: Request) -> None:
        self.params = request.query_params
        unknown = set(self.params.keys()) - EVENT_PARAMETERS
        if unknown:
            raise invalid(f"unknown parameters: {', '.join(sorted(unknown))}")
        self.ids = set(self.params.getlist("id"))
        self.states = self._words("state", STATES) or set(DEFAULT_STATES)
        self.domains = self._words("type_domain", DOMAINS)
        self.scopes = self._words("type_scope", SCOPES)
        self.types = set(self.params.getlist("type"))
        self.parents = set(self.params.getlist("parent_id"))
        self.new_type = self._truth("with_new_type")
        self.include_hidden = self._truth("include_hidden")
        self.modified = (self._moment("last_modified_min"), self._moment("last_modified_max"))
        self.starts = (self._moment("start_datetime_min"), self._moment("start_datetime_max"))
        if self.params.get("sort", "id") != "id":
            raise invalid("sort: only id is served here")
        self.limit = self._limit()
        self.after = int(self.params.get("pagination_last_id") or 0)

    def _words(self, name: str, known: Sequence[str]) -> set[str]:
        values = set(self.params.getlist(name))
        if not values <= set(known):
            raise invalid(f"{name}: {', '.join(sorted(values - set(known)))} is not one of {', '.join(known)}")
        return values

    def _truth(self, name: str) -> bool:
        return self.params.get(name, "false").lower() in ("true", "1")

    def _moment(self, name: str) -> int | None:
        text = self.params.get(name)
        try:
            return to_epoch(text) if text else None
        except ValueError:
            raise invalid(f"{name}: {text} is no datetime") from None

    def _limit(self) -> int:
        text = self.params.get("limit", "20")
        if not text.isdecimal() or not 1 <= int(text) <= 1000:
            raise invalid("limit must be between 1 and 1000")
        return int(text)

    def takes(self, row: EventRow) -> bool:
        return (
            int(row.id) > self.after
            and row.state in self.states
            and (not self.ids or row.id in self.ids)
            and (not self.domains or row.domain in self.domains)
            and (not self.types or row.type in self.types)
            and (not self.parents or row.parent_id in self.parents)
            and (not self.scopes or "single_event" in self.scopes)
            and (self.include_hidden or not row.hidden)
            and _within(row.modified_at, *self.modified)
            and (self.starts == (None, None) or (row.start_at is not None and _within(row.start_at, *self.starts)))
        )

    def following(self, last_id: str) -> str:
        """The query of the next page: the same parameters, behind the last id."""
        kept = [pair for pair in self.params.multi_items() if pair[0] not in ("pagination_last_id", "sort", "limit")]
        return "?" + urlencode([*kept, ("limit", self.limit), ("sort", "id"), ("pagination_last_id", last_id)])


def _within(at: int, first: int | None, last: int | None) -> bool:
    return (first is None or at >= first) and (last is None or at <= last)


class WorldListing:
    """A synthetic world as Smarkets would list it."""

    def __init__(self, world: SmarketsWorld) -> None:
        self.world = world

    def events(self, now: int, new_type: bool) -> list[EventRow]:
        rows = []
        for event in self.world.events:
            if not self.world.exists(event, now):
                continue
            question = event.question
            old_type = OLD_TYPES.get(event.topic, event.topic)
            state = self.world.event_state(event, now)
            moments = [0] if question is None else [question.opens_at - 86_400, question.closes_at, question.decided_at]
            modified = max((at for at in moments if at <= now), default=0) or self.world.starts_at
            json = {
                "bet_allowed": True,
                "bettable": event.is_leaf,
                "chart_time_period": None,
                "created": iso(self.world.starts_at if question is None else question.opens_at - 86_400),
                "description": "" if event.is_leaf else None,
                "display_order": 0,
                "end_date": None,
                "full_slug": event.full_slug,
                "hidden": event.hidden,
                "id": event.id,
                "inplay_enabled": True,
                "modified": iso(modified),
                "name": event.name,
                "parent_id": event.parent_id,
                "seo_description": None,
                "short_name": "",
                "slug": slug(event.name),
                "special_rules": "",
                "start_date": iso(question.closes_at)[:10] if question else None,
                "start_datetime": iso(question.closes_at)[:19] + "Z" if question else None,
                "state": state,
                "super_sub_enabled": False,
                "type": {"domain": event.topic, "scope": "single_event"} if new_type else old_type,
                "venue": None,
            }
            rows.append(
                EventRow(
                    id=event.id,
                    state=state,
                    domain=event.topic,
                    type=old_type,
                    parent_id=event.parent_id,
                    start_at=question.closes_at if question else None,
                    modified_at=modified,
                    hidden=event.hidden,
                    json=json,
                )
            )
        return rows

    def markets(self, event_ids: Sequence[str], now: int) -> list[Json]:
        return [
            {
                "bet_delay": 0,
                "cashout_enabled": False,
                "categories": ["other"],
                "category": "other",
                "complete": False,
                "contract_selections": None,
                "created": iso(market.question.opens_at - 86_400)[:-4] + "Z",
                "description": "",
                "display_order": 0,
                "display_type": "default",
                "event_id": market.event_id,
                "hidden": False,
                "id": market.id,
                # Keys of its own for every market.
                "info": {"reason": "", f"note_{market.id}": "1"},
                "inplay_enabled": True,
                "market_type": {"name": "MANUAL", "param": f"p{market.id}"},
                "modified": iso(market.question.opens_at)[:-4] + "Z",
                "name": market.name,
                "slug": slug(market.name),
                "state": self.world.market_state(market, now),
                "winner_count": market.question.winners,
            }
            for event_id in event_ids
            for market in self.world.markets_by_event.get(event_id, ())
            if now >= market.question.opens_at - 86_400
        ]

    def _markets(self, market_ids: Sequence[str], now: int) -> list[Any]:
        found = [self.world.market_by_id[market_id] for market_id in market_ids if market_id in self.world.market_by_id]
        return [market for market in found if now >= market.question.opens_at - 86_400]

    def contracts(self, market_ids: Sequence[str], now: int) -> list[Json]:
        rows = []
        for market in self._markets(market_ids, now):
            question = market.question
            for contract in market.contracts:
                state = self.world.contract_state(market, contract, now)
                row = {
                    "competitor_id": None,
                    "contract_type": {"name": "NAMED_COMPETITOR", "param": slug(contract.name)},
                    "created": iso(question.opens_at - 86_400)[:-4] + "Z",
                    "display_order": 0,
                    "hidden": False,
                    "id": contract.id,
                    "info": {},
                    "market_id": market.id,
                    "modified": iso(min(now, question.decided_at))[:-4] + "Z",
                    "name": contract.name,
                    "outcome_timestamp": iso(question.decided_at) if now >= question.decided_at else None,
                    "slug": slug(contract.name),
                    "state_or_outcome": state,
                }
                rows.append(row)
        return rows

    def quotes(self, market_ids: Sequence[str], now: int) -> Json:
        books = {
            contract.id: self.world.book(market, contract, now)
            for market in self._markets(market_ids, now)
            for contract in market.contracts
        }
        return {contract_id: book for contract_id, book in books.items() if book is not None}

    def last_prices(self, market_ids: Sequence[str], now: int) -> Json:
        answer: Json = {}
        for market in self._markets(market_ids, now):
            rows = []
            for contract in market.contracts:
                last = self.world.last_trade(market, contract, now)
                rows.append(
                    {
                        "contract_id": contract.id,
                        # A percentage as text; "7.5" and "12" without needless zeros.
                        "last_executed_price": f"{last[0] / 100:g}" if last else None,
                        "timestamp": iso(last[1]) if last else None,
                    }
                )
            answer[market.id] = rows
        return answer

    def volumes(self, market_ids: Sequence[str], now: int) -> list[Json]:
        rows = []
        for market in self._markets(market_ids, now):
            volume = self.world.volume(market, now)
            rows.append({"market_id": market.id, "volume": volume, "double_stake_volume": 2 * volume})
        return rows


class RecordedListing:
    """Recorded answers by what they hold: `events`, `markets`, `contracts`, keyed quotes, `last_executed_prices`,
    `volumes`. Every object leaves as the very text that was recorded."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._events: list[EventRow] = []
        self._rows: dict[str, list[tuple[str, msgspec.Raw]]] = {"markets": [], "contracts": [], "volumes": []}
        self._quotes: dict[str, msgspec.Raw] = {}
        self._last: dict[str, msgspec.Raw] = {}
        for answer in answers:
            self._take(answer)
        self._market_of = {str(msgspec.json.decode(raw)["id"]): market_id for market_id, raw in self._rows["contracts"]}

    def _take(self, answer: bytes) -> None:
        keyed = msgspec.json.decode(answer, type=dict[str, msgspec.Raw])
        for raw in msgspec.json.decode(keyed.get("events", b"[]"), type=list[msgspec.Raw]):
            self._events.append(_recorded_event(raw))
        for name, owner in (("markets", "event_id"), ("contracts", "market_id"), ("volumes", "market_id")):
            for raw in msgspec.json.decode(keyed.get(name, b"[]"), type=list[msgspec.Raw]):
                self._rows[name].append((str(msgspec.json.decode(raw)[owner]), msgspec.Raw(bytes(raw))))
        if "last_executed_prices" in keyed:
            last = msgspec.json.decode(keyed["last_executed_prices"], type=dict[str, msgspec.Raw])
            self._last.update({key: msgspec.Raw(bytes(raw)) for key, raw in last.items()})
        if keyed and all(key.isdecimal() for key in keyed):
            self._quotes.update({key: msgspec.Raw(bytes(raw)) for key, raw in keyed.items()})

    def events(self, now: int, new_type: bool) -> list[EventRow]:
        return self._events

    def markets(self, event_ids: Sequence[str], now: int) -> list[msgspec.Raw]:
        return self._of("markets", event_ids)

    def contracts(self, market_ids: Sequence[str], now: int) -> list[msgspec.Raw]:
        return self._of("contracts", market_ids)

    def volumes(self, market_ids: Sequence[str], now: int) -> list[msgspec.Raw]:
        return self._of("volumes", market_ids)

    def _of(self, name: str, owners: Sequence[str]) -> list[msgspec.Raw]:
        return [raw for owner, raw in self._rows[name] if owner in owners]

    def quotes(self, market_ids: Sequence[str], now: int) -> dict[str, msgspec.Raw]:
        return {key: raw for key, raw in self._quotes.items() if self._market_of.get(key) in market_ids}

    def last_prices(self, market_ids: Sequence[str], now: int) -> dict[str, msgspec.Raw]:
        return {key: raw for key, raw in self._last.items() if key in market_ids}


def _recorded_event(raw: msgspec.Raw) -> EventRow:
    fields = msgspec.json.decode(raw)
    kind = fields["type"]
    domains = {old: new for new, old in OLD_TYPES.items()}
    return EventRow(
        id=fields["id"],
        state=fields["state"],
        domain=kind["domain"] if isinstance(kind, dict) else domains.get(kind, kind),
        type=kind if isinstance(kind, str) else kind["domain"],
        parent_id=fields["parent_id"],
        start_at=to_epoch(fields["start_datetime"]) if fields["start_datetime"] else None,
        modified_at=to_epoch(fields["modified"]),
        hidden=fields["hidden"],
        json=msgspec.Raw(bytes(raw)),
    )
