"""PredictIt: every open market with its contracts and quotes, in one call. No key.

PredictIt's data are for non-commercial use, with PredictIt named as their source. Endpoint and quirks: README.md beside
this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from extract.http import VenueClient, VenueError
from extract.predictit.settings import CONTRACTS, MARKETS, PredictItSettings
from extract.price_venue import Found, History, Phase
from extract.raw import decode, joined
from extract.settings import resolve
from extract.walks import Page, Reading


class _All(msgspec.Struct):
    markets: list[msgspec.Raw]


class _Market(msgspec.Struct):
    id: int
    contracts: list[msgspec.Raw] = []
    time_stamp: str | None = msgspec.field(name="timeStamp", default=None)


class PredictIt:
    """The one reading that PredictIt's feed offers. It tells nothing of the past."""

    name = "predictit"
    histories: tuple[History, ...] = ()

    def __init__(self) -> None:
        self.settings: PredictItSettings = resolve(PredictItSettings(), self.name)
        self._client = VenueClient(
            self.settings.base_url,
            setting="SOURCES__PREDICTIT__BASE_URL",
            requests_per_second=self.settings.requests_per_second,
        )
        self._markets: list[Page] = []

    @property
    def requests_made(self) -> int:
        return self._client.requests_made

    def close(self) -> None:
        self._client.close()

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("markets", self._all), Phase("contracts", self._contracts))

    def _all(self, found: Found) -> Iterator[Reading]:
        yield Reading(MARKETS, "all", self._pages)

    def _pages(self) -> Iterator[Page]:
        answer = self._client.get("/all/", {})
        page = Page(decode(answer.body, _All).markets, answer.venue_time, None)
        if not page.rows:
            raise VenueError("/all/ lists no market at all")
        self._markets.append(page)
        yield page

    def _contracts(self, found: Found) -> Iterator[Reading]:
        """The contracts inside the answer that was just read: a second call would be one too many."""
        for page in self._markets:
            yield Reading(CONTRACTS, "all", partial(_contract_pages, page))


def _contract_pages(page: Page) -> Iterator[Page]:
    rows = []
    for market in page.rows:
        of_market = msgspec.json.decode(market, type=_Market)
        own = {"marketId": of_market.id, "timeStamp": of_market.time_stamp}
        rows += [joined(own, contract) for contract in of_market.contracts]
    yield Page(rows, page.venue_time, None)
