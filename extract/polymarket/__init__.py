"""Polymarket: wallets' trades and ledgers from Data API v2, markets and events from Gamma. No key.

Endpoints, limits and quirks: README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec

from extract.http import Params, VenueClient, VenueError
from extract.polymarket.settings import (
    ACTIVITY,
    ACTIVITY_TYPES,
    DATA_PAGE,
    DUST,
    EVENTS,
    FEED,
    GAMMA_PAGE,
    LEADERBOARD,
    LEADERBOARD_PAGE,
    MARKETS,
    POSITIONS,
    RESOLUTIONS,
    RESOLUTIONS_BATCH,
    STANDINGS,
    TRADES,
    PolymarketSettings,
)
from extract.raw import RawTable, decode
from extract.settings import resolve
from extract.venue import FIRST_LOOK_BACK, LookUp, WalkStart
from extract.walks import Page, Reading, seconds


class _Pagination(msgspec.Struct):
    next_cursor: str | None = None
    has_more: bool = False


class _DataPage(msgspec.Struct):
    data: list[msgspec.Raw]
    pagination: _Pagination


class _Rows(msgspec.Struct):
    data: list[msgspec.Raw]


class _Object(msgspec.Struct):
    data: msgspec.Raw


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

    def discovery(self, count: int | None) -> list[Reading]:
        """The first `count` wallets of the leaderboard; None: of that and of each category's, by the settings."""
        if count is not None:
            return [self._leaderboard(count, None)]
        categories = [None, *self.settings.leaderboard_categories]
        return [self._leaderboard(self.settings.leaderboard_wallets, category) for category in categories]

    def _leaderboard(self, count: int, category: str | None) -> Reading:
        # The default is the board of the last day.
        params = {"time_period": "all", "limit": str(min(count, LEADERBOARD_PAGE))}
        return Reading(
            table=LEADERBOARD,
            scope=f"top:{count}" + (f":{category}" if category else ""),
            pages=lambda: _first_rows(
                self.data_pages("/v2/leaderboard", params | ({"category": category} if category else {})), count
            ),
            # A category may be without winners; that nobody trades at all is not believed.
            expect_rows=category is None,
        )

    def feed(self, since: datetime | None) -> Reading:
        return Reading(
            table=FEED,
            scope="trades",
            pages=partial(self._feed_pages, since),
            bound_from=since,
            time_key="timestamp",
            is_kept=False,
        )

    def _feed_pages(self, since: datetime | None) -> Iterator[Page]:
        """Newest first, down to the first row before `since`.

        Left to itself the feed goes back to the beginning of the last month. It knows no `start` and hides dust.
        """
        for page in self.data_pages("/v2/trades", {"limit": str(DATA_PAGE), "taker_only": "false"}):
            now = page.venue_time or datetime.now(UTC)
            earliest = since = since or now - FIRST_LOOK_BACK
            if _reaches_before(FEED, page, earliest):
                yield replace(page, cursor=None)
                return
            yield page
            if page.cursor is None and earliest < _month_before(now):
                raise VenueError(f"the feed of trades ends before it gets back to {earliest:%Y-%m-%d %H:%M}")

    def market_reading(self, condition_id: str, start: WalkStart) -> Reading:
        return Reading(
            table=TRADES,
            scope=condition_id,
            resource="market_trades",
            pages=partial(self._market_pages, condition_id, start.bound_from),
            bound_from=start.bound_from,
            time_key="timestamp",
            expect_rows=start.expect_rows,
            filter_key="condition_id",
            filter_values=frozenset({condition_id}),
        )

    def _market_pages(self, condition_id: str, since: datetime | None) -> Iterator[Page]:
        """Newest first, down to the first page that reaches back before `since`: a market's trades know no `start`."""
        params = {"condition": condition_id, "limit": str(DATA_PAGE), "taker_only": "false"}
        for page in self.data_pages("/v2/trades", params):
            if since is not None and _reaches_before(TRADES, page, since):
                yield replace(page, cursor=None)
                return
            yield page

    def wallet_readings(self, wallet: str, starts: Mapping[str, WalkStart]) -> Iterator[Reading]:
        # By default a match is served on its taker's side only, which hides half of what a wallet did, and deposits and
        # tips are left out.
        everything: tuple[tuple[RawTable, Params], ...] = (
            (TRADES, {"taker_only": "false"}),
            (ACTIVITY, {"type": ACTIVITY_TYPES, "exclude_deposits_withdrawals": "false"}),
        )
        for table, parameters in everything:
            if table.name in starts:
                yield self._of_wallet(table, wallet, starts[table.name], parameters)

    def _of_wallet(self, table: RawTable, wallet: str, start: WalkStart, extra: Params) -> Reading:
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
            pages=partial(self.data_pages, f"/v2/{table.name}", params),
            bound_from=start.bound_from,
            time_key="timestamp",
            expect_rows=start.expect_rows,
            filter_key="proxy_wallet",
            filter_values=frozenset({wallet}),
        )

    def account_readings(self, wallet: str) -> Iterator[Reading]:
        yield Reading(
            table=POSITIONS,
            scope=wallet,
            pages=partial(self._position_pages, wallet),
            filter_key="proxy_wallet",
            filter_values=frozenset({wallet}),
        )
        yield Reading(
            table=STANDINGS,
            scope=wallet,
            # The default is the last day's; only the board of all time is of realized profit alone.
            pages=partial(self.object_page, "/v2/leaderboard", {"user": wallet, "time_period": "all"}),
            filter_key="user_id",
            filter_values=frozenset({wallet}),
        )

    def _position_pages(self, wallet: str) -> Iterator[Page]:
        """What the wallet holds, then what it has left: two lists, that make one reading."""
        held = {"status": "OPEN", "include_archived": "true", "filter_amount": DUST}
        for status in (held, {"status": "CLOSED"}):
            yield from self.data_pages("/v2/positions", {"user": wallet, "limit": str(DATA_PAGE), **status})

    def settlement_readings(self, condition_ids: Sequence[str]) -> Iterator[Reading]:
        for start in range(0, len(condition_ids), RESOLUTIONS_BATCH):
            asked = ",".join(condition_ids[start : start + RESOLUTIONS_BATCH])
            yield Reading(
                table=RESOLUTIONS,
                scope=asked,
                pages=partial(self._list_page, "/v2/resolutions", {"condition": asked}),
                filter_key="condition_id",
                filter_values=frozenset(asked.split(",")),
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
            # A market of which the venue says nothing leaves no row: that it was asked for stands here only.
            scope=",".join(condition_ids),
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

    def data_pages(self, path: str, params: Params) -> Iterator[Page]:
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

    def _list_page(self, path: str, params: Params) -> Iterator[Page]:
        """Data API v2, a list that is never paged: {data: [...]}."""
        answer = self._data.get(path, params)
        yield Page(decode(answer.body, _Rows).data, answer.venue_time, None)

    def object_page(self, path: str, params: Params) -> Iterator[Page]:
        """Data API v2, one object or none: {data: {...}} or {data: null}."""
        answer = self._data.get(path, params)
        row = decode(answer.body, _Object).data
        yield Page([] if bytes(row) == b"null" else [row], answer.venue_time, None)

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


def _reaches_before(table: RawTable, page: Page, moment: datetime) -> bool:
    times = seconds(table.keys_of(page.rows)["timestamp"])
    return bool(times) and min(times) < moment.timestamp()


def _month_before(moment: datetime) -> datetime:
    """The beginning of the month before a moment's own."""
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first - timedelta(days=1)).replace(day=1)


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
