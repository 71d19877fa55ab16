"""Dome: wallets' orders and activity, and the markets they name. Needs a key.

Endpoints, limits and quirks: README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import dlt
import msgspec

from extract.dome.settings import ACTIVITY, MARKETS, MARKETS_PAGE, ORDERS, ORDERS_PAGE, DomeSettings
from extract.http import Params, VenueClient, VenueError
from extract.raw import RawTable, decode
from extract.settings import UsageError, resolve
from extract.venue import LookUp, WalkStart
from extract.walks import Page, Reading


class _Pagination(msgspec.Struct):
    has_more: bool = False
    pagination_key: str | None = None


class _OrdersPage(msgspec.Struct):
    orders: list[msgspec.Raw]
    pagination: _Pagination


class _ActivityPage(msgspec.Struct):
    activities: list[msgspec.Raw]
    pagination: _Pagination


class _MarketsPage(msgspec.Struct):
    markets: list[msgspec.Raw]
    pagination: _Pagination


class _Timed(msgspec.Struct):
    timestamp: int = 0


_Shape = type[_OrdersPage] | type[_ActivityPage] | type[_MarketsPage]
#: Per table, its pages and the key of their rows.
_SHAPES: dict[str, tuple[_Shape, str]] = {
    ORDERS.name: (_OrdersPage, "orders"),
    ACTIVITY.name: (_ActivityPage, "activities"),
}


class Dome:
    """The readings that Dome's API offers. It has no leaderboard, and its events come with the markets."""

    name = "dome"
    wallet_tables: tuple[str, ...] = (ORDERS.name, ACTIVITY.name)

    def __init__(self) -> None:
        self.settings = resolve(DomeSettings(), self.name)
        key = self.settings.api_key or dlt.secrets.get("DOME_API_KEY", str)
        if not key:
            raise UsageError("Dome needs a key: set SOURCES__DOME__API_KEY (or DOME_API_KEY)")
        self._client = VenueClient(
            self.settings.base_url,
            setting="SOURCES__DOME__BASE_URL",
            requests_per_second=self.settings.requests_per_second,
            headers={"Authorization": f"Bearer {key}"},
            secrets=(key,),
        )

    @property
    def requests_made(self) -> int:
        return self._client.requests_made

    def close(self) -> None:
        self._client.close()

    def discovery(self, count: int | None) -> list[Reading]:
        return []

    def feed(self, since: datetime | None) -> None:
        """Orders are served by wallet or market only."""
        return None

    def market_reading(self, condition_id: str, start: WalkStart) -> Reading:
        reading = self._reading(ORDERS, "condition_id", condition_id, start)
        return replace(reading, resource="market_trades", filter_key="condition_id")

    def wallet_readings(self, wallet: str, starts: Mapping[str, WalkStart]) -> Iterator[Reading]:
        for table in (ORDERS, ACTIVITY):
            if table.name in starts:
                yield self._reading(table, "user", wallet, starts[table.name])

    def _reading(self, table: RawTable, parameter: str, scope: str, start: WalkStart) -> Reading:
        """All rows of a wallet or a market."""
        params: dict[str, str] = {parameter: scope, "limit": str(ORDERS_PAGE)}
        if start.bound_from is not None:
            params["start_time"] = str(int(start.bound_from.timestamp()))
        shape, rows = _SHAPES[table.name]
        return Reading(
            table=table,
            scope=scope,
            pages=partial(self._pages, f"/polymarket/{table.name}", params, shape, rows),
            bound_from=start.bound_from,
            time_key="timestamp",
            expect_rows=start.expect_rows,
            filter_key="user_address",
            filter_values=frozenset({scope}),
        )

    def account_readings(self, wallet: str) -> Iterator[Reading]:
        return iter(())

    def settlement_readings(self, condition_ids: Sequence[str]) -> Iterator[Reading]:
        return iter(())

    @property
    def look_ups(self) -> tuple[LookUp, ...]:
        return (
            LookUp(
                table=MARKETS,
                id_column="condition_id",
                batch_size=MARKETS_PAGE,
                # Dome returns open and closed markets alike.
                variants=("any",),
                reading=self._markets,
                names=_nothing,
            ),
        )

    def _markets(self, condition_ids: Sequence[str], variant: str) -> Reading:
        return Reading(
            table=MARKETS,
            scope=",".join(condition_ids),
            pages=partial(
                self._pages,
                "/polymarket/markets",
                {"condition_id": list(condition_ids), "limit": str(MARKETS_PAGE)},
                _MarketsPage,
                "markets",
            ),
            filter_key="condition_id",
            filter_values=frozenset(condition_ids),
        )

    def _pages(self, path: str, params: Params, shape: _Shape, rows: str) -> Iterator[Page]:
        """Envelope {<rows>, pagination}; next page by `pagination_key`, or by offset where the service has none."""
        step: dict[str, str] = {}
        read = 0
        while True:
            answer = self._client.get(path, {**params, **step})
            page = decode(answer.body, shape)
            page_rows: list[msgspec.Raw] = getattr(page, rows)
            read += len(page_rows)
            key = page.pagination.pagination_key
            if not page.pagination.has_more:
                step = {}
            elif not page_rows:
                raise VenueError(f"{path} says that there is more and gives an empty page")
            elif key:
                step = {"pagination_key": key}
            else:
                step = {**_frozen_window(page_rows, step), "offset": str(read)}
            yield Page(page_rows, answer.venue_time, key or step.get("offset") if step else None)
            if not step:
                return


def _frozen_window(page_rows: Sequence[msgspec.Raw], step: Mapping[str, str]) -> dict[str, str]:
    """Ends the window at the newest row of the first page, so that rows which arrive meanwhile shift no offset."""
    if "end_time" in step:
        return {"end_time": step["end_time"]}
    newest = max(msgspec.json.decode(row, type=_Timed).timestamp for row in page_rows)
    return {"end_time": str(newest)} if newest else {}


def _nothing(_: Sequence[msgspec.Raw]) -> Iterable[str]:
    return ()
