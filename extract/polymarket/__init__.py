"""Polymarket: wallets' trades and ledgers from Data API v2, markets and events from Gamma. No key.

Endpoints, limits and quirks: README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from extract.http import Params, VenueClient, VenueError
from extract.polymarket.settings import (
    ACTIVITY,
    ACTIVITY_TYPES,
    DATA_PAGE,
    EVENTS,
    GAMMA_PAGE,
    LEADERBOARD,
    LEADERBOARD_PAGE,
    MARKETS,
    TRADES,
    PolymarketSettings,
)
from extract.raw import RawTable, decode
from extract.settings import resolve
from extract.venue import LookUp, WalkStart
from extract.walks import Page, Reading


class _Pagination(msgspec.Struct):
    next_cursor: str | None = None
    has_more: bool = False


class _DataPage(msgspec.Struct):
    data: list[msgspec.Raw]
    pagination: _Pagination


class _MarketPage(msgspec.Struct):
    markets: list[msgspec.Raw]
    next_cursor: str | None = None


class _EventPage(msgspec.Struct):
    events: list[msgspec.Raw]
    next_cursor: str | None = None


class _EventKey(msgspec.Struct):
    id: str


class _EventsOfMarket(msgspec.Struct):
    events: list[_EventKey] = []


class Polymarket:
    """The readings that Polymarket's APIs offer."""

    name = "polymarket"
    wallet_tables: tuple[str, ...] = (TRADES.name, ACTIVITY.name)

    def __init__(self) -> None:
        self.settings: PolymarketSettings = resolve(PolymarketSettings(), self.name)
        self._data = self._client(self.settings.data_api_url, "DATA_API_URL")
        self._gamma = self._client(self.settings.gamma_api_url, "GAMMA_API_URL")

    def _client(self, base_url: str, setting: str) -> VenueClient:
        return VenueClient(
            base_url,
            setting=f"SOURCES__POLYMARKET__{setting}",
            requests_per_second=self.settings.requests_per_second,
        )

    @property
    def requests_made(self) -> int:
        return self._data.requests_made + self._gamma.requests_made

    def close(self) -> None:
        self._data.close()
        self._gamma.close()

    def discovery(self, count: int | None) -> Reading:
        """The first `count` wallets of the leaderboard; None: as many as the setting says."""
        wanted = self.settings.leaderboard_wallets if count is None else count
        # The default is the board of the last day.
        params = {"time_period": "all", "limit": str(min(wanted, LEADERBOARD_PAGE))}
        return Reading(
            table=LEADERBOARD,
            scope=f"top:{wanted}",
            pages=lambda: _first_rows(self._data_pages("/v2/leaderboard", params), wanted),
            expect_rows=True,
        )

    def wallet_readings(self, wallet: str, starts: Mapping[str, WalkStart]) -> Iterator[Reading]:
        # By default a match is served on its taker's side only, which hides half of what a wallet did.
        yield self._of_wallet(TRADES, wallet, starts, {"taker_only": "false"})
        # By default deposits and tips are left out.
        yield self._of_wallet(
            ACTIVITY,
            wallet,
            starts,
            {"type": ACTIVITY_TYPES, "exclude_deposits_withdrawals": "false"},
        )

    def _of_wallet(self, table: RawTable, wallet: str, starts: Mapping[str, WalkStart], extra: Params) -> Reading:
        start = starts[table.name]
        params = {
            "user": wallet,
            "limit": str(DATA_PAGE),
            # Left out or 0, it means three years back; 1 means all.
            "start": "1" if start.bound_from is None else str(int(start.bound_from.timestamp())),
            **extra,
        }
        return Reading(
            table=table,
            scope=wallet,
            pages=partial(self._data_pages, f"/v2/{table.name}", params),
            bound_from=start.bound_from,
            time_key="timestamp",
            expect_rows=start.expect_rows,
            filter_key="proxy_wallet",
            filter_values=frozenset({wallet}),
        )

    @property
    def look_ups(self) -> tuple[LookUp, ...]:
        # Closed first: whatever a look-up does not say about `closed` means open, so resolutions need asking for.
        closed_then_open = ("true", "false")
        return (
            LookUp(
                table=MARKETS,
                id_column="condition_id",
                batch_size=GAMMA_PAGE,
                variants=closed_then_open,
                reading=self._markets,
                names=_events_named,
            ),
            LookUp(
                table=EVENTS,
                id_column="id",
                batch_size=GAMMA_PAGE,
                variants=closed_then_open,
                reading=self._events,
                names=_nothing,
            ),
        )

    def _markets(self, condition_ids: Sequence[str], closed: str) -> Reading:
        return Reading(
            table=MARKETS,
            scope=f"condition_ids:{len(condition_ids)}:closed={closed}",
            pages=partial(
                self._gamma_pages,
                "/markets/keyset",
                {
                    "condition_ids": list(condition_ids),
                    "closed": closed,
                    "limit": str(GAMMA_PAGE),
                    "include_tag": "true",
                },
                _MarketPage,
                "markets",
            ),
            filter_key="condition_id",
            filter_values=frozenset(condition_ids),
        )

    def _events(self, event_ids: Sequence[str], closed: str) -> Reading:
        return Reading(
            table=EVENTS,
            scope=f"ids:{len(event_ids)}:closed={closed}",
            pages=partial(
                self._gamma_pages,
                "/events/keyset",
                {"id": list(event_ids), "closed": closed, "limit": str(GAMMA_PAGE)},
                _EventPage,
                "events",
            ),
            filter_key="id",
            filter_values=frozenset(event_ids),
        )

    def _data_pages(self, path: str, params: Params) -> Iterator[Page]:
        """Data API v2: envelope {data, pagination}, next page by `cursor` until next_cursor is null."""
        cursor: str | None = None
        while True:
            answer = self._data.get(path, params if cursor is None else {**params, "cursor": cursor})
            page = decode(answer.body, _DataPage)
            if page.pagination.has_more and not page.pagination.next_cursor:
                raise VenueError(f"{path} says that there is more but gives no cursor to it")
            if cursor is not None and not page.data:
                raise VenueError(f"{path} promised another page and gave an empty one")
            cursor = page.pagination.next_cursor or None
            yield Page(page.data, answer.venue_time, cursor)
            if cursor is None:
                return

    def _gamma_pages(
        self, path: str, params: Params, shape: type[_MarketPage] | type[_EventPage], rows: str
    ) -> Iterator[Page]:
        """Gamma keyset lists: {markets|events, next_cursor}; next page by `after_cursor` until it is absent."""
        cursor: str | None = None
        while True:
            answer = self._gamma.get(path, params if cursor is None else {**params, "after_cursor": cursor})
            page = decode(answer.body, shape)
            cursor = page.next_cursor or None
            yield Page(getattr(page, rows), answer.venue_time, cursor)
            if cursor is None:
                return


def _first_rows(pages: Iterator[Page], count: int) -> Iterator[Page]:
    """Pages up to `count` rows; the last is cut and not followed."""
    left = count
    for page in pages:
        enough = len(page.rows) >= left
        yield Page(page.rows[:left], page.venue_time, None if enough else page.cursor)
        left -= len(page.rows)
        if enough:
            return


def _events_named(markets: Sequence[msgspec.Raw]) -> Iterable[str]:
    """Ids of the events that market objects belong to; a market whose events have another shape names none."""
    for market in markets:
        try:
            events = msgspec.json.decode(market, type=_EventsOfMarket).events
        except msgspec.DecodeError:
            continue
        yield from (event.id for event in events)


def _nothing(_: Sequence[msgspec.Raw]) -> Iterable[str]:
    return ()
