"""Smarkets: events, their markets and contracts, and what they are quoted at. No key; prices are a little delayed.

Endpoints, limits and quirks: README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from urllib.parse import parse_qsl

import msgspec
from dlt.common.utils import chunks

from extract.http import Params, VenueClient, VenueError
from extract.price_venue import Found, History, Phase
from extract.raw import RawTable, decode, joined
from extract.settings import UsageError, resolve
from extract.smarkets.settings import (
    CONTRACT_IDS,
    CONTRACTS,
    EVENT_IDS,
    EVENTS,
    EVENTS_PAGE,
    LAST_PRICE_IDS,
    LAST_PRICES,
    LISTED_STATES,
    MARKETS,
    QUOTE_IDS,
    QUOTES,
    VOLUME_IDS,
    VOLUMES,
    SmarketsSettings,
)
from extract.walks import Page, Reading

#: Reads the rows out of one answer.
Rows = Callable[[bytes], list[msgspec.Raw]]


class _Pagination(msgspec.Struct):
    next_page: str | None = None


class _EventPage(msgspec.Struct):
    events: list[msgspec.Raw]
    pagination: _Pagination


class Smarkets:
    """The readings that Smarkets' API offers without an account. It tells nothing of the past."""

    name = "smarkets"
    histories: tuple[History, ...] = ()

    def __init__(self) -> None:
        self.settings: SmarketsSettings = resolve(SmarketsSettings(), self.name)
        self._domains = [name.strip() for name in self.settings.domains.split(",") if name.strip()]
        if not self._domains:
            raise UsageError("SOURCES__SMARKETS__DOMAINS names no kind of events, such as politics")
        self._client = VenueClient(
            self.settings.base_url,
            setting="SOURCES__SMARKETS__BASE_URL",
            requests_per_second=self.settings.requests_per_second,
        )

    @property
    def requests_made(self) -> int:
        return self._client.requests_made

    def close(self) -> None:
        self._client.close()

    def phases(self) -> tuple[Phase, ...]:
        return (
            Phase("events", self._events),
            Phase("markets", self._markets),
            Phase("contracts", self._contracts),
            Phase("prices", self._prices),
        )

    def _events(self, found: Found) -> Iterator[Reading]:
        yield Reading(EVENTS, "undecided", self._event_pages)

    def _event_pages(self) -> Iterator[Page]:
        """Envelope {events, pagination}; the next page is a query string that repeats what was asked for."""
        params: Params = {
            "type_domain": self._domains,
            "state": LISTED_STATES,
            "with_new_type": "true",
            "sort": "id",
            "limit": str(EVENTS_PAGE),
        }
        while True:
            answer = self._client.get("/events/", params)
            page = decode(answer.body, _EventPage)
            following = page.pagination.next_page
            yield Page(page.events, answer.venue_time, following)
            if following is None:
                return
            params = _query(following)

    def _markets(self, found: Found) -> Iterator[Reading]:
        """Markets hang on the leaves of the tree only."""
        leaves = [str(row["id"]) for row in found.rows(EVENTS.name) if row["bettable"] == "true"]
        rows = partial(_list, "markets")
        yield from self._batches(MARKETS, "/events/{}/markets/", leaves, EVENT_IDS, rows, "event_id")

    def _contracts(self, found: Found) -> Iterator[Reading]:
        """Of listed markets, and of those that are listed no more but whose outcome is not known yet."""
        markets = dict.fromkeys([*found.column(MARKETS.name, "id"), *found.due])
        rows = partial(_list, "contracts")
        yield from self._batches(CONTRACTS, "/markets/{}/contracts/", list(markets), CONTRACT_IDS, rows, "market_id")

    def _prices(self, found: Found) -> Iterator[Reading]:
        markets = found.column(MARKETS.name, "id")
        market_of = {str(row["id"]): str(row["market_id"]) for row in found.rows(CONTRACTS.name)}
        for batch in chunks(markets, QUOTE_IDS):
            asked = frozenset(batch)
            contracts = {contract: market for contract, market in market_of.items() if market in asked}
            yield self._reading(QUOTES, "/markets/{}/quotes/", batch, partial(_quotes, contracts), None)
        yield from self._batches(
            LAST_PRICES, "/markets/{}/last_executed_prices/", markets, LAST_PRICE_IDS, _last_prices, "market_id"
        )
        rows = partial(_list, "volumes")
        yield from self._batches(VOLUMES, "/markets/{}/volumes/", markets, VOLUME_IDS, rows, "market_id")

    def _batches(
        self, table: RawTable, path: str, ids: Sequence[str], size: int, rows: Rows, filter_key: str
    ) -> Iterator[Reading]:
        for batch in chunks(ids, size):
            yield self._reading(table, path, batch, rows, filter_key)

    def _reading(self, table: RawTable, path: str, ids: Sequence[str], rows: Rows, filter_key: str | None) -> Reading:
        return Reading(
            table=table,
            scope=f"{ids[0]}+{len(ids) - 1}",
            pages=partial(self._page, path.format(",".join(ids)), rows),
            filter_key=filter_key,
            filter_values=frozenset(ids),
        )

    def _page(self, path: str, rows: Rows) -> Iterator[Page]:
        answer = self._client.get(path, {})
        yield Page(rows(answer.body), answer.venue_time, None)


def _query(next_page: str) -> Params:
    """The parameters of a query string, a repeated key as a list."""
    params: dict[str, list[str]] = {}
    for key, value in parse_qsl(next_page.removeprefix("?"), keep_blank_values=True):
        params.setdefault(key, []).append(value)
    if "pagination_last_id" not in params:
        raise VenueError(f"/events/ names a next page without a place: {next_page[:80]!r}")
    return params


def _list(name: str, body: bytes) -> list[msgspec.Raw]:
    """Envelope {<name>: [...]}."""
    envelope = decode(body, dict[str, msgspec.Raw])
    if name not in envelope:
        raise VenueError(f"an answer without {name!r}")
    return msgspec.json.decode(envelope[name], type=list[msgspec.Raw])


def _quotes(contracts: dict[str, str], body: bytes) -> list[msgspec.Raw]:
    """{contract: book} as one row per contract, whose market stands beside it. A contract that was asked for and is
    absent has no price now; it gets a row without a book, so that its price of before does not seem to last.
    """
    books = decode(body, dict[str, msgspec.Raw])
    strangers = books.keys() - contracts.keys()
    if strangers:
        raise VenueError(f"quotes of contract {min(strangers)[:40]!r}, which was not asked for")
    nothing = msgspec.Raw(b"{}")
    return [
        joined({"contract_id": contract, "market_id": market}, books.get(contract, nothing))
        for contract, market in contracts.items()
    ]


def _last_prices(body: bytes) -> list[msgspec.Raw]:
    """{last_executed_prices: {market: [price, ...]}} as one row per contract, its market before it."""
    envelope = decode(body, dict[str, dict[str, list[msgspec.Raw]]])
    if "last_executed_prices" not in envelope:
        raise VenueError("an answer without 'last_executed_prices'")
    by_market = envelope["last_executed_prices"]
    return [joined({"market_id": market}, row) for market, rows in by_market.items() for row in rows]
