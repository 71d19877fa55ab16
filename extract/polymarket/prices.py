"""Polymarket's price history, window by window: one walk reads all due outcomes of one window."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from extract.polymarket import Polymarket
from extract.polymarket.settings import DATA_PAGE, PRICES, STATUS, PolymarketSettings
from extract.price_venue import Found, History, Phase, Window
from extract.raw import joined
from extract.walks import Page, Reading


@dataclass(frozen=True, slots=True)
class DueToken:
    """A row of `prices_needing_sync`: an outcome, and from when to when it could have a price; None: no bound."""

    token_id: str
    open_from: datetime | None
    open_until: datetime | None


class PolymarketPrices:
    """The price history of outcomes that the warehouse knows. Quotes of now come with the markets of every run."""

    name = Polymarket.name

    def __init__(self) -> None:
        self._venue = Polymarket()
        self.due: Sequence[DueToken] = ()
        self.settings: PolymarketSettings = self._venue.settings

    @property
    def requests_made(self) -> int:
        return self._venue.requests_made

    def close(self) -> None:
        self._venue.close()

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("status", self._status),)

    def _status(self, found: Found) -> Iterator[Reading]:
        yield Reading(STATUS, "status", partial(self._venue.object_page, "/v2/status", {}))

    @property
    def histories(self) -> tuple[History, ...]:
        return (History(PRICES.name, "all", self._prices, needs_lists=False),)

    def _prices(self, window: Window, found: Found) -> Reading:
        tokens = [
            due.token_id
            for due in self.due
            if (due.open_from is None or due.open_from <= window.end)
            and (due.open_until is None or due.open_until >= window.start)
        ]
        return Reading(
            PRICES,
            "all",
            partial(self._pages, window, tokens),
            bound_from=window.start,
            bound_to=window.end,
            time_key="timestamp",
        )

    def _pages(self, window: Window, tokens: Sequence[str]) -> Iterator[Page]:
        """Without a size of buckets the venue gives the finest that it still has for the window's age."""
        [status] = self._venue.object_page("/v2/status", {})
        yield Page([], status.venue_time, "status")
        # A bound of 0 is refused.
        bounds = {
            "start": str(max(1, math.floor(window.start.timestamp()))),
            "end": str(math.ceil(window.end.timestamp())),
            "limit": str(DATA_PAGE),
        }
        for token in tokens:
            for page in self._venue.data_pages("/v2/prices-history", {"token_id": token, **bounds}):
                rows = [joined({"token_id": token}, row) for row in page.rows]
                yield Page(rows, page.venue_time, f"{token}:{page.cursor}")
