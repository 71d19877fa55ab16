"""Betfair's exchange: markets and their books, with an account's app key. Off unless its credentials are set.

Logging in and speaking JSON-RPC is betfairlightweight's; this chooses what to ask so that no request weighs too much
and no list is cut off. Endpoints, limits and quirks: README.md beside this file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from betfairlightweight import APIClient
from betfairlightweight.exceptions import APIError, BetfairError, InvalidResponse, LoginError, StatusCodeError
from dlt.common.utils import chunks

from extract.betfair.settings import (
    BOOKS,
    BOOKS_PAGE,
    CATALOGUE_PAGE,
    CATALOGUE_PARTS,
    EVENT_TYPES,
    MARKETS,
    PASSING,
    SESSION_ENDED,
    BetfairSettings,
)
from extract.http import VenueClient, VenueError, venue_time
from extract.price_venue import Found, History, Phase
from extract.raw import decode
from extract.settings import UsageError, resolve
from extract.walks import Page, Reading

CREDENTIALS = ("username", "password", "app_key")
ATTEMPTS = 5
"""How often a call is made that fails with an error which goes away by itself."""


MOST_RENEWALS = 3
"""How often a session may be opened without any call being answered."""


class _EventType(msgspec.Struct):
    id: str
    name: str


class _EventTypeRow(msgspec.Struct):
    event_type: _EventType = msgspec.field(name="eventType")


class _Event(msgspec.Struct):
    id: str


class _EventRow(msgspec.Struct):
    event: _Event


class _CatalogueRow(msgspec.Struct):
    market_id: str = msgspec.field(name="marketId")
    start: str | None = msgspec.field(name="marketStartTime", default=None)


class _BookRow(msgspec.Struct):
    market_id: str = msgspec.field(name="marketId")


class _Result(msgspec.Struct):
    result: list[msgspec.Raw]


@dataclass(frozen=True, slots=True)
class _Rows:
    rows: list[msgspec.Raw]
    venue_time: datetime


class Betfair:
    """The readings that Betfair's API offers to an account. It tells nothing of the past."""

    name = "betfair"
    histories: tuple[History, ...] = ()

    def __init__(self) -> None:
        self.settings: BetfairSettings = resolve(BetfairSettings(), self.name)
        missing = [name for name in CREDENTIALS if not getattr(self.settings, name)]
        if missing:
            named = ", ".join(f"SOURCES__BETFAIR__{name.upper()}" for name in missing)
            raise UsageError(f"betfair is off: set {named} to read it")
        self._types = [name.strip() for name in self.settings.event_types.split(",") if name.strip()]
        if not self._types:
            raise UsageError("SOURCES__BETFAIR__EVENT_TYPES names no kind of events, such as Politics")
        self._session = _Session(self.settings)
        self._type_ids: dict[str, str] = {}

    @property
    def requests_made(self) -> int:
        return self._session.requests_made

    def close(self) -> None:
        self._session.close()

    def phases(self) -> tuple[Phase, ...]:
        return (
            Phase("event types", self._event_types),
            Phase("markets", self._markets),
            Phase("prices", self._books),
        )

    def _event_types(self, found: Found) -> Iterator[Reading]:
        yield Reading(EVENT_TYPES, "all", self._type_page)

    def _type_page(self) -> Iterator[Page]:
        """Kinds of events have ids that only a list tells of."""
        answer = self._session.call("listEventTypes", {"filter": {}})
        known = {kind.name: kind.id for kind in (_type(row) for row in answer.rows)}
        for name in self._types:
            if name not in known:
                raise VenueError(f"no events of the kind {name!r}; there are {', '.join(sorted(known))[:200]}")
            self._type_ids[name] = known[name]
        yield Page(answer.rows, answer.venue_time, None)

    def _markets(self, found: Found) -> Iterator[Reading]:
        for name, type_id in self._type_ids.items():
            yield Reading(MARKETS, name, partial(self._catalogue, type_id))

    def _catalogue(self, type_id: str) -> Iterator[Page]:
        """All markets of a kind, by start. A list ends at its limit without a word, so a full one is followed by that
        of the markets which start no earlier than its last.
        """
        start: str | None = None
        seen: set[str] = set()
        while True:
            window = {"marketStartTime": {"from": start}} if start else {}
            answer = self._catalogue_rows({"eventTypeIds": [type_id], **window})
            markets = [msgspec.json.decode(row, type=_CatalogueRow) for row in answer.rows]
            is_full = len(markets) == CATALOGUE_PAGE
            following = markets[-1].start if is_full else None
            if is_full and following is None:
                raise VenueError("a market without a start, by which long lists are parted")
            rows = answer.rows
            if following is not None and following == start:
                # One page of markets that start together: their events part them.
                answer = self._of_one_moment(type_id, following)
                rows = answer.rows
                following = _after(following)
            fresh = [row for row in rows if _market_id(row) not in seen]
            seen.update(_market_id(row) for row in fresh)
            yield Page(fresh, answer.venue_time, following)
            if following is None:
                return
            start = following

    def _of_one_moment(self, type_id: str, start: str) -> _Rows:
        """The markets of a kind that start at one moment, event by event."""
        moment = {"eventTypeIds": [type_id], "marketStartTime": {"from": start, "to": start}}
        events = self._session.call("listEvents", {"filter": moment})
        rows: list[msgspec.Raw] = []
        for event in events.rows:
            event_id = msgspec.json.decode(event, type=_EventRow).event.id
            answer = self._catalogue_rows({**moment, "eventIds": [event_id]})
            if len(answer.rows) == CATALOGUE_PAGE:
                raise VenueError(f"event {event_id} has more markets at {start} than a list can show")
            rows += answer.rows
        return _Rows(rows, events.venue_time)

    def _catalogue_rows(self, market_filter: Mapping[str, Any]) -> _Rows:
        return self._session.call(
            "listMarketCatalogue",
            {
                "filter": market_filter,
                "marketProjection": list(CATALOGUE_PARTS),
                "sort": "FIRST_TO_START",
                "maxResults": CATALOGUE_PAGE,
            },
        )

    def _books(self, found: Found) -> Iterator[Reading]:
        """Of listed markets, and of those that are listed no more but whose outcome is not known yet."""
        listed = found.column(MARKETS.name, "market_id")
        known = set(listed)
        for ids in (listed, [market for market in found.due if market not in known]):
            for batch in chunks(ids, BOOKS_PAGE):
                yield Reading(
                    table=BOOKS,
                    scope=f"{batch[0]}+{len(batch) - 1}",
                    pages=partial(self._book_pages, batch),
                    filter_key="market_id",
                    filter_values=frozenset(batch),
                )

    def _book_pages(self, ids: Sequence[str]) -> Iterator[Page]:
        """Closed markets are left out of an answer that has open ones, so whatever is missing is asked for apart."""
        missing = list(ids)
        while missing:
            answer = self._session.call(
                "listMarketBook",
                {
                    "marketIds": missing,
                    "priceProjection": {"priceData": ["EX_BEST_OFFERS"]},
                    "currencyCode": "GBP",
                },
            )
            shown = {msgspec.json.decode(row, type=_BookRow).market_id for row in answer.rows}
            rest = [market for market in missing if market not in shown]
            asked_again = bool(shown) and bool(rest)
            yield Page(answer.rows, answer.venue_time, rest[0] if asked_again else None)
            if not asked_again:
                return
            missing = rest


class _Session:
    """A logged-in client for many threads. A session that ended is opened anew; errors that pass are waited out."""

    def __init__(self, settings: BetfairSettings) -> None:
        secrets = tuple(str(getattr(settings, name)) for name in CREDENTIALS)
        self._client = VenueClient(
            settings.api_url,
            setting="SOURCES__BETFAIR__API_URL",
            requests_per_second=settings.requests_per_second,
            secrets=secrets,
            other_urls={settings.identity_url: "SOURCES__BETFAIR__IDENTITY_URL"},
        )
        self._lock = threading.Lock()
        self._renewals = 0
        self._refusal: VenueError | None = None
        self._has_cert = settings.cert_file is not None
        # With `session` every request goes through our client: its pace, its retries, its errors without secrets.
        self._api = APIClient(
            username=settings.username,
            password=settings.password,
            app_key=settings.app_key,
            cert_files=settings.cert_file,
            lightweight=True,
            session=self._client,
        )
        self._api.api_uri = settings.api_url.rstrip("/") + "/"
        self._api.identity_uri = self._api.identity_cert_uri = settings.identity_url.rstrip("/") + "/"

    @property
    def requests_made(self) -> int:
        return self._client.requests_made

    def close(self) -> None:
        self._client.close()

    def call(self, operation: str, params: Mapping[str, Any]) -> _Rows:
        """The result of one operation, each of its rows as the venue's own text.

        Raises:
            VenueError: names the operation and the venue's error code, never what was sent.
        """
        renewed = False
        for attempt in range(ATTEMPTS):
            token = self._token()
            try:
                rows = self._ask(operation, params)
            except _Refused as refused:
                if refused.code in SESSION_ENDED and not renewed:
                    renewed = True
                    self._forget(token)
                elif refused.code in PASSING and attempt + 1 < ATTEMPTS:
                    time.sleep(self._client.backoff(attempt))
                else:
                    raise VenueError(f"{operation} answered {refused.code}") from None
            else:
                self._renewals = 0
                return rows
        raise VenueError(f"{operation} was refused {ATTEMPTS} times")

    def _ask(self, operation: str, params: Mapping[str, Any]) -> _Rows:
        with _explained(operation):
            response, _, _ = self._api.betting.request(f"SportsAPING/v1.0/{operation}", dict(params), None)
            rows = decode(response.content, _Result).result
            return _Rows(rows, venue_time(response))

    def _token(self) -> str:
        """Logs in where nobody is; one thread does, the others wait. Whoever logs in too often is banned, so a refused
        login is not tried again, nor one whose sessions do not last.
        """
        with self._lock:
            if self._refusal is not None:
                raise self._refusal
            if self._api.session_token is None:
                self._renewals += 1
                try:
                    if self._renewals > MOST_RENEWALS:
                        raise VenueError(f"{MOST_RENEWALS} sessions ended before anything was answered")
                    with _explained("login"):
                        (self._api.login if self._has_cert else self._api.login_interactive)()
                except (VenueError, _Refused) as error:
                    self._refusal = error if isinstance(error, VenueError) else VenueError(f"login: {error.code}")
                    raise self._refusal from None
            return str(self._api.session_token)

    def _forget(self, token: str) -> None:
        """Ends a session, unless another thread has opened a new one since."""
        with self._lock:
            if self._api.session_token == token:
                self._api.client_logout()


class _Refused(Exception):
    """The venue's own error, which comes with status 200."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@contextmanager
def _explained(operation: str) -> Iterator[None]:
    """Turns betfairlightweight's errors, whose texts repeat what was sent, into ours, which do not."""
    try:
        yield
    except APIError as error:
        if isinstance(error.exception, VenueError):
            raise error.exception from None
        raise _Refused(_code(error.response)) from None
    except LoginError as error:
        status = error.response.get("loginStatus") or error.response.get("error") or "no reason"
        raise VenueError(f"login was refused: {str(status)[:60]}") from None
    except StatusCodeError as error:
        raise VenueError(f"{operation} answered {error.status_code}") from None
    except InvalidResponse:
        raise VenueError(f"{operation} answered 200 without JSON") from None
    except BetfairError as error:
        raise VenueError(f"{operation}: {type(error).__name__}") from None


def _code(response: Any) -> str:
    """The error code of a JSON-RPC error, or its number where it has none."""
    error = response.get("error") if isinstance(response, dict) else None
    if not isinstance(error, dict):
        return "an error without a code"
    data = error.get("data")
    exception = data.get("APINGException") if isinstance(data, dict) else None
    if isinstance(exception, dict) and exception.get("errorCode"):
        return str(exception["errorCode"])[:60]
    return str(error.get("code"))[:60]


def _type(row: msgspec.Raw) -> _EventType:
    return msgspec.json.decode(row, type=_EventTypeRow).event_type


def _market_id(row: msgspec.Raw) -> str:
    return msgspec.json.decode(row, type=_CatalogueRow).market_id


def _after(moment: str) -> str:
    """A thousandth of a second later, the least that the venue tells apart."""
    later = datetime.fromisoformat(moment).astimezone(UTC) + timedelta(milliseconds=1)
    return later.strftime("%Y-%m-%dT%H:%M:%S.") + f"{later.microsecond // 1000:03}Z"
