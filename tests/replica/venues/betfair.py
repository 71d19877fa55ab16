"""Betfair's exchange API: a login, and JSON-RPC whose errors come with HTTP 200.

Manners: every call needs an app key and a session; a session ends after a while and the answer then is
INVALID_SESSION_INFORMATION; what a call asks for has a weight and a request may weigh 200 at most, else TOO_MUCH_DATA;
there is no cursor, a list simply ends at maxResults; closed markets leave the catalogue, and their books are missing
from an answer that has open ones; a suspended market may have no book; a runner never matched has no lastPriceTraded.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, Protocol
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from tests.replica.clock import to_epoch
from tests.replica.rows import encode
from tests.replica.venues.betfair_world import BetfairWorld, Market, iso

Json = dict[str, Any]

CODES = {
    "TOO_MUCH_DATA": 1, "INVALID_INPUT_DATA": 2, "INVALID_SESSION_INFORMATION": 3, "NO_APP_KEY": 4, "NO_SESSION": 5,
    "UNEXPECTED_ERROR": 6, "INVALID_APP_KEY": 7, "TOO_MANY_REQUESTS": 8, "SERVICE_BUSY": 9, "TIMEOUT_ERROR": 10,
    "REQUEST_SIZE_EXCEEDS_LIMIT": 14, "ACCESS_DENIED": 15,
}  # fmt: skip
#: https://…/Market+Data+Request+Limits
WEIGHT_LIMIT = 200
CATALOGUE_WEIGHTS = {"MARKET_DESCRIPTION": 1, "RUNNER_METADATA": 1}
BOOK_WEIGHTS = {"SP_AVAILABLE": 3, "SP_TRADED": 7, "EX_BEST_OFFERS": 5, "EX_ALL_OFFERS": 17, "EX_TRADED": 17}
TOGETHER = {frozenset({"EX_BEST_OFFERS", "EX_TRADED"}): 20, frozenset({"EX_ALL_OFFERS", "EX_TRADED"}): 32}
MOST_RESULTS = 1000
MOST_BOOKS = 250
BOOKS_PER_SECOND = 5


@dataclass(frozen=True, slots=True)
class Call:
    """One JSON-RPC call as it was answered; `weight` is that of the whole request, `at` this computer's seconds."""

    method: str
    markets: int
    weight: Fraction
    error: str | None
    at: float


@dataclass
class Manners:
    """Who may log in, for how long (of the world's time), and which calls fail although nothing is wrong."""

    username: str = "replica-user"
    password: str = "replica-password"
    app_key: str = "replica-app-key"
    session_seconds: int = 12 * 3600
    clock: Callable[[], float] = time.monotonic
    calls: list[Call] = field(default_factory=list)
    _sessions: dict[str, int] = field(default_factory=dict)
    _refusals: list[str] = field(default_factory=list)
    _asked: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    logins: int = 0

    def refuse_next(self, code: str, times: int = 1) -> None:
        """The next calls are answered with this error."""
        self._refusals += [code] * times

    def end_sessions(self) -> None:
        """Nobody is logged in any more."""
        self._sessions.clear()

    def open_session(self, now: int) -> str:
        with self._lock:
            self.logins += 1
            token = f"replica-session-{self.logins}"
            self._sessions[token] = now + self.session_seconds
            return token

    def check(self, app_key: str | None, token: str | None, now: int) -> None:
        if self._refusals:
            raise Refused(self._refusals.pop(0))
        if not app_key:
            raise Refused("NO_APP_KEY")
        if app_key != self.app_key:
            raise Refused("INVALID_APP_KEY")
        if not token:
            raise Refused("NO_SESSION")
        if self._sessions.get(token, 0) <= now:
            raise Refused("INVALID_SESSION_INFORMATION")

    def check_pace(self, market_ids: Sequence[str]) -> None:
        """The book of one market may be asked for five times a second."""
        now = self.clock()
        with self._lock:
            for market_id in market_ids:
                asked = self._asked[market_id]
                while asked and now - asked[0] >= 1:
                    asked.popleft()
                if len(asked) >= BOOKS_PER_SECOND:
                    raise Refused("TOO_MANY_REQUESTS")
                asked.append(now)


class Listing(Protocol):
    """What the calls answer from. Objects are values or finished JSON."""

    def catalogue(self, now: int) -> list[CatalogueRow]: ...
    def books(self, market_ids: Sequence[str], now: int) -> list[tuple[bool, Any]]: ...


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """A market of the catalogue with what the filters look at. `parts`: its fields by projection ("" always)."""

    id: str
    type_id: str
    type_name: str
    event_id: str
    event: Any
    start_at: int
    betting_type: str
    text: str
    parts: Mapping[str, Mapping[str, Any]]


class Refused(Exception):
    def __init__(self, code: str, details: str = "") -> None:
        super().__init__(code)
        self.code, self.details = code, details


class Malformed(Exception):
    """Not JSON-RPC as the API understands it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message}


def mount(served: Listing | BetfairWorld, manners: Manners | None = None) -> Mount:
    """The API under /betfair: /betfair/exchange/betting/json-rpc/v1, and the login under /betfair/api."""
    listing = WorldListing(served) if isinstance(served, BetfairWorld) else served
    return Mount("/betfair", routes=routes(listing, manners or Manners()))


def routes(listing: Listing, manners: Manners) -> list[BaseRoute]:
    async def login(request: Request) -> Response:
        cert = request.url.path.endswith("certlogin")
        form = parse_qs((await request.body()).decode())
        known = form.get("username") == [manners.username] and form.get("password") == [manners.password]
        if request.headers.get("x-application") != manners.app_key:
            known = False
        if not known:
            problem = "INVALID_USERNAME_OR_PASSWORD"
            return _json({"loginStatus": problem} if cert else {"token": "", "status": "FAIL", "error": problem})
        token = manners.open_session(request.state.now)
        if cert:
            return _json({"sessionToken": token, "loginStatus": "SUCCESS"})
        return _json({"token": token, "product": manners.app_key, "status": "SUCCESS", "error": ""})

    async def json_rpc(request: Request) -> Response:
        try:
            body = msgspec.json.decode(await request.body())
        except msgspec.DecodeError:
            return _json({"jsonrpc": "2.0", "error": {"code": -32700, "message": "DSC-0008"}, "id": None})
        if isinstance(body, list):
            return _json([one(request, call) for call in body])
        return _json(one(request, body))

    def one(request: Request, call: Json) -> Json:
        envelope = {"jsonrpc": "2.0", "id": call.get("id")}
        method = str(call.get("method", "")).removeprefix("SportsAPING/v1.0/")
        seen: dict[str, Any] = {"markets": 0, "weight": Fraction(0)}
        error: str | None = None
        try:
            manners.check(
                request.headers.get("x-application"), request.headers.get("x-authentication"), request.state.now
            )
            operation = operations.get(method)
            if operation is None:
                raise Malformed(-32601, "DSC-0021")
            envelope["result"] = operation(call.get("params") or {}, request.state.now, seen)
        except Malformed as problem:
            error = str(problem)
            envelope["error"] = problem.error
        except Refused as refused:
            error = refused.code
            exception = {
                "requestUUID": "ie1-ang-replica",
                "errorCode": refused.code,
                "errorDetails": refused.details,
            }
            envelope["error"] = {
                "code": -32099,
                "message": f"ANGX-{CODES[refused.code]:04}",
                "data": {"APINGException": exception, "exceptionname": "APINGException"},
            }
        manners.calls.append(Call(method, seen["markets"], seen["weight"], error, manners.clock()))
        return envelope

    def found(params: Json, now: int) -> list[CatalogueRow]:
        if not isinstance(params.get("filter"), dict):
            raise Malformed(-32602, "DSC-0018")
        keep = _Filter(params["filter"])
        return [row for row in listing.catalogue(now) if keep.takes(row)]

    def event_types(params: Json, now: int, seen: Json) -> list[Json]:
        counts: dict[tuple[str, str], int] = defaultdict(int)
        for row in found(params, now):
            counts[(row.type_id, row.type_name)] += 1
        return [
            {"eventType": {"id": type_id, "name": name}, "marketCount": count}
            for (type_id, name), count in counts.items()
        ]

    def events(params: Json, now: int, seen: Json) -> list[Json]:
        rows = found(params, now)
        by_event = {row.event_id: row.event for row in rows if row.event is not None}
        counts = {event_id: sum(row.event_id == event_id for row in rows) for event_id in by_event}
        return [{"event": event, "marketCount": counts[event_id]} for event_id, event in by_event.items()]

    def catalogue(params: Json, now: int, seen: Json) -> list[Json]:
        most = params.get("maxResults")
        if not isinstance(most, int):
            raise Malformed(-32602, "DSC-0018")
        projections = params.get("marketProjection") or []
        weight = sum(CATALOGUE_WEIGHTS.get(name, 0) for name in projections)
        seen["markets"], seen["weight"] = most, Fraction(weight * most)
        if most > MOST_RESULTS:
            raise Refused("TOO_MUCH_DATA", "MaxResults must be less than or equal to 1000")
        if most < 1:
            raise Refused("INVALID_INPUT_DATA", "MaxResults must be greater than 0")
        if weight * most > WEIGHT_LIMIT:
            raise Refused("TOO_MUCH_DATA")
        rows = found(params, now)
        if params.get("sort") == "FIRST_TO_START":
            rows.sort(key=lambda row: (row.start_at, row.id))
        return [row.parts[""] | _merged(row.parts, projections) for row in rows[:most]]

    def books(params: Json, now: int, seen: Json) -> list[Any]:
        market_ids = params.get("marketIds")
        if not isinstance(market_ids, list) or not market_ids:
            raise Malformed(-32602, "DSC-0018")
        projection = params.get("priceProjection") or {}
        weight = book_weight(projection)
        seen["markets"], seen["weight"] = len(market_ids), weight * len(market_ids)
        if len(market_ids) > MOST_BOOKS or weight * len(market_ids) > WEIGHT_LIMIT:
            raise Refused("TOO_MUCH_DATA")
        manners.check_pace(market_ids)
        answers = listing.books(market_ids, now)
        # Closed ones are left out of an answer that has others.
        open_ones = [book for is_closed, book in answers if not is_closed]
        chosen = open_ones or [book for _, book in answers]
        wanted = "EX_BEST_OFFERS" in projection.get("priceData", ()) or "EX_ALL_OFFERS" in projection.get(
            "priceData", ()
        )
        return [book if wanted or not isinstance(book, dict) else _without_prices(book) for book in chosen]

    operations: dict[str, Callable[[Json, int, Json], Any]] = {
        "listEventTypes": event_types,
        "listEvents": events,
        "listMarketCatalogue": catalogue,
        "listMarketBook": books,
    }

    async def keep_alive(request: Request) -> Response:
        token = request.headers.get("x-authentication", "")
        if manners._sessions.get(token, 0) <= request.state.now:
            return _json({"token": token, "product": manners.app_key, "status": "FAIL", "error": "NO_SESSION"})
        manners._sessions[token] = request.state.now + manners.session_seconds
        return _json({"token": token, "product": manners.app_key, "status": "SUCCESS", "error": ""})

    return [
        Route("/api/login", login, methods=["POST"]),
        Route("/api/certlogin", login, methods=["POST"]),
        Route("/api/keepAlive", keep_alive, methods=["GET", "POST"]),
        Route("/exchange/betting/json-rpc/v1", json_rpc, methods=["POST"]),
    ]


def book_weight(projection: Json) -> Fraction:
    """What one market of listMarketBook weighs."""
    wanted = set(projection.get("priceData") or ())
    unknown = wanted - set(BOOK_WEIGHTS)
    if unknown:
        raise Malformed(-32602, "DSC-0018")
    if not wanted:
        return Fraction(2)
    weight = Fraction(0)
    for pair, together in TOGETHER.items():
        if pair <= wanted:
            weight += together
            wanted -= pair
    weight += sum(BOOK_WEIGHTS[name] for name in wanted)
    overrides = projection.get("exBestOffersOverrides") or {}
    depth = overrides.get("bestPricesDepth", 3)
    return weight * Fraction(depth, 3) if "EX_BEST_OFFERS" in (projection.get("priceData") or ()) else weight


def _without_prices(book: Json) -> Json:
    return book | {
        "runners": [{key: value for key, value in runner.items() if key != "ex"} for runner in book["runners"]]
    }


def _merged(parts: Mapping[str, Mapping[str, Any]], projections: Sequence[str]) -> Json:
    merged: Json = {}
    for name in projections:
        merged |= parts.get(name, {})
    return merged


def _json(value: Any) -> Response:
    return Response(encode(value), media_type="application/json")


class _Filter:
    """A MarketFilter; unknown fields are refused, as a misspelt one would silently widen the answer."""

    KNOWN = frozenset(
        {"eventTypeIds", "eventIds", "marketIds", "marketBettingTypes", "marketStartTime", "textQuery", "inPlayOnly"}
    )

    def __init__(self, fields: Json) -> None:
        if set(fields) - self.KNOWN:
            raise Malformed(-32602, "DSC-0018")
        self.fields = fields
        window = fields.get("marketStartTime") or {}
        self.first = _moment(window["from"]) if window.get("from") else None
        self.last = _moment(window["to"]) if window.get("to") else None

    def takes(self, row: CatalogueRow) -> bool:
        fields = self.fields
        return (
            (not fields.get("eventTypeIds") or row.type_id in fields["eventTypeIds"])
            and (not fields.get("eventIds") or row.event_id in fields["eventIds"])
            and (not fields.get("marketIds") or row.id in fields["marketIds"])
            and (not fields.get("marketBettingTypes") or row.betting_type in fields["marketBettingTypes"])
            and (not fields.get("textQuery") or fields["textQuery"].lower() in row.text.lower())
            and (self.first is None or row.start_at >= self.first)
            and (self.last is None or row.start_at <= self.last)
        )


def _moment(text: str) -> float:
    """Epoch seconds, to the thousandth that the venue tells apart."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise Malformed(-32602, "DSC-0018") from None


class WorldListing:
    """A synthetic world as Betfair would list it."""

    def __init__(self, world: BetfairWorld) -> None:
        self.world = world

    def catalogue(self, now: int) -> list[CatalogueRow]:
        return [self._row(market, now) for market in self.world.markets if self.world.is_listed(market, now)]

    def _row(self, market: Market, now: int) -> CatalogueRow:
        question = market.question
        type_id, type_name = market.type
        event = {
            "id": market.event_id,
            "name": market.event_name,
            "timezone": "Europe/London",
            "openDate": iso(question.opens_at),
        }
        start = iso(question.closes_at)
        runners = [
            {
                "selectionId": runner.selection_id,
                "runnerName": runner.name,
                "handicap": _number(runner.handicap),
                "sortPriority": place + 1,
            }
            for place, runner in enumerate(market.runners)
        ]
        described = [runner | {"metadata": {"runnerId": str(runner["selectionId"])}} for runner in runners]
        parts = {
            "": {
                "marketId": market.id,
                "marketName": market.name,
                "totalMatched": _number(self.world.matched(market, now), 100),
            },
            "MARKET_START_TIME": {"marketStartTime": start},
            "MARKET_DESCRIPTION": {
                "description": {
                    "persistenceEnabled": True,
                    "bspMarket": False,
                    "marketTime": start,
                    "suspendTime": start,
                    "bettingType": market.betting_type,
                    "turnInPlayEnabled": False,
                    "marketType": "SPECIAL",
                    "marketBaseRate": self.world.base_rate(market),
                    "discountAllowed": True,
                    "rules": "<b>Rules</b>",
                }
            },
            "RUNNER_DESCRIPTION": {"runners": runners},
            "RUNNER_METADATA": {"runners": described},
            "EVENT": {"event": event},
            "EVENT_TYPE": {"eventType": {"id": type_id, "name": type_name}},
            "COMPETITION": {},
        }
        return CatalogueRow(
            id=market.id,
            type_id=type_id,
            type_name=type_name,
            event_id=market.event_id,
            event=event,
            start_at=question.closes_at,
            betting_type=market.betting_type,
            text=f"{market.name} {market.event_name}",
            parts=parts,
        )

    def books(self, market_ids: Sequence[str], now: int) -> list[tuple[bool, Json]]:
        known = [self.world.by_id[market_id] for market_id in market_ids if market_id in self.world.by_id]
        return [
            (self.world.state(market, now) == "CLOSED", self._book(market, now))
            for market in known
            if now >= market.question.opens_at - 86_400
        ]

    def _book(self, market: Market, now: int) -> Json:
        question = market.question
        state = self.world.state(market, now)
        runners = []
        for runner in market.runners:
            book = self.world.book(market, runner, now)
            last = self.world.last_odds(market, runner, now)
            row = {
                "selectionId": runner.selection_id,
                "handicap": _number(runner.handicap),
                "status": self.world.runner_state(market, runner, now),
                "totalMatched": 0,
                "ex": {
                    "availableToBack": [{"price": _number(odds, 100), "size": pounds} for odds, pounds in book.to_back],
                    "availableToLay": [{"price": _number(odds, 100), "size": pounds} for odds, pounds in book.to_lay],
                    "tradedVolume": [],
                },
            }
            if last is not None:
                row["lastPriceTraded"] = _number(last, 100)
            if state == "SUSPENDED" and runner.selection_id % 2:
                del row["ex"]
            runners.append(row)
        answer = {
            "marketId": market.id,
            "isMarketDataDelayed": True,
            "status": state,
            "betDelay": 0,
            "bspReconciled": False,
            "complete": True,
            "inplay": False,
            "numberOfWinners": question.winners,
            "numberOfRunners": len(runners),
            "numberOfActiveRunners": sum(runner["status"] == "ACTIVE" for runner in runners),
            "totalMatched": _number(self.world.matched(market, now), 100),
            "totalAvailable": 0,
            "crossMatching": True,
            "runnersVoidable": False,
            "version": now,
            "runners": runners,
        }
        if self.world.matched(market, now):
            answer["lastMatchTime"] = iso(min(now, question.closes_at))
        return answer


def _number(value: Any, divisor: int = 1) -> int | float:
    """A number as the venue writes it: 6 and not 6.0, so that integers and fractions come in the same field."""
    return int(value) // divisor if int(value) % divisor == 0 else int(value) / divisor


class RecordedListing:
    """Recorded results of listMarketCatalogue and listMarketBook, each object as its own text. A book whose catalogue
    entry was not recorded gets one that says no more than the book does."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._catalogue: dict[str, msgspec.Raw] = {}
        self._books: dict[str, msgspec.Raw] = {}
        for answer in answers:
            results = msgspec.json.decode(answer, type=dict[str, msgspec.Raw]).get("result", b"[]")
            if not bytes(results).lstrip().startswith(b"["):
                continue
            for raw in msgspec.json.decode(results, type=list[msgspec.Raw]):
                fields = msgspec.json.decode(raw)
                if not isinstance(fields, dict) or "marketId" not in fields:
                    continue
                kept = self._books if "status" in fields else self._catalogue
                kept.setdefault(fields["marketId"], msgspec.Raw(bytes(raw)))

    def catalogue(self, now: int) -> list[CatalogueRow]:
        rows = [self._row(msgspec.json.decode(raw, type=dict[str, msgspec.Raw])) for raw in self._catalogue.values()]
        for market_id, raw in self._books.items():
            if market_id not in self._catalogue:
                rows.append(self._row(_bare(market_id, msgspec.json.decode(raw))))
        return rows

    def _row(self, fields: dict[str, msgspec.Raw]) -> CatalogueRow:
        event = msgspec.json.decode(fields["event"]) if "event" in fields else None
        kind = msgspec.json.decode(fields["eventType"]) if "eventType" in fields else {"id": "1", "name": "Soccer"}
        description = msgspec.json.decode(fields["description"]) if "description" in fields else {}
        start = msgspec.json.decode(fields.get("marketStartTime", b"null")) or description.get("marketTime")
        return CatalogueRow(
            id=msgspec.json.decode(fields["marketId"]),
            type_id=kind["id"],
            type_name=kind["name"],
            event_id=event["id"] if event else "",
            event=event,
            start_at=to_epoch(start) if start else 0,
            betting_type=description.get("bettingType", "ODDS"),
            text=msgspec.json.decode(fields["marketName"]),
            parts={"": {name: msgspec.Raw(bytes(raw)) for name, raw in fields.items()}},
        )

    def books(self, market_ids: Sequence[str], now: int) -> list[tuple[bool, msgspec.Raw]]:
        known = [self._books[market_id] for market_id in market_ids if market_id in self._books]
        return [(msgspec.json.decode(raw)["status"] == "CLOSED", raw) for raw in known]


def _bare(market_id: str, book: Json) -> dict[str, msgspec.Raw]:
    runners = [
        {"selectionId": runner["selectionId"], "runnerName": str(runner["selectionId"]),
         "handicap": runner["handicap"], "sortPriority": place + 1}
        for place, runner in enumerate(book["runners"])
    ]  # fmt: skip
    fields = {
        "marketId": market_id,
        "marketName": market_id,
        "runners": runners,
        "eventType": {"id": "7", "name": "Horse Racing"},
    }
    return {name: msgspec.Raw(encode(value)) for name, value in fields.items()}
