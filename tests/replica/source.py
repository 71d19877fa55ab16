"""What the APIs are served from: a synthetic world or recorded answers, behind the same five doors.

The API modules know the manners (parameters, pages, errors); a source knows the objects and their
JSON. JSON leaves a source as finished text, so that recorded objects can be passed on untouched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tests.replica.rows import Row

#: Addresses that the Data API refuses as `user`: the venue's own contracts.
CTF_EXCHANGE_V1 = "0x4bfb41d5b3570defd03c39a9a4d8de6bd8b8982e"
NEG_RISK_EXCHANGE_V1 = "0xc5d563a36ae78145c45a50134d48a1215220f80a"
CTF_EXCHANGE_V2 = "0xe111180000d2663c0091e4f400237545b87b996b"
NEG_RISK_EXCHANGE_V2 = "0xe2222d279d744050d28e00520010520000310f59"
NEG_RISK_ADAPTER = "0xd91e80cf2e7be2e162c6513ced06f1dd0da35296"
PROTOCOL_CONTRACTS = frozenset(
    {
        CTF_EXCHANGE_V1,
        NEG_RISK_EXCHANGE_V1,
        CTF_EXCHANGE_V2,
        NEG_RISK_EXCHANGE_V2,
        NEG_RISK_ADAPTER,
    }
)
#: 2026-04-28: the V2 exchanges take over.
EXCHANGE_V2_SINCE = 1777334400


class DataFeeds(Protocol):
    """The Data API's rows. Lists are ascending by (timestamp, sequence_id)."""

    #: Trades below this many millionths of a share are hidden unless asked for.
    dust_micro: int

    def trades(self) -> Sequence[Row]: ...
    def trades_of_wallet(self, wallet: str) -> Sequence[Row]: ...
    def trades_of_markets(self, condition_ids: Iterable[str]) -> Sequence[Row]: ...
    def activity_of_wallet(self, wallet: str) -> Sequence[Row]: ...
    def conditions_of_events(self, event_ids: Iterable[str]) -> list[str]: ...
    def is_taker(self, row: Row) -> bool: ...
    def side(self, row: Row) -> str: ...
    def activity_type(self, row: Row) -> str: ...
    def trade_json(self, row: Row, now: int) -> str: ...
    def activity_json(self, row: Row, now: int) -> str: ...
    def v1_trades(self, wallet: str | None) -> Sequence[Row]: ...
    def v1_activity(self, wallet: str) -> Sequence[Row]: ...
    def v1_json(self, row: Row, now: int, activity: bool) -> str: ...
    def leaderboard(self, period: str, sort_by: str, now: int, category: str = "overall") -> list[Standing]: ...
    def positions(self, wallet: str, now: int) -> list[PositionView]: ...
    def resolution_json(self, condition_id: str, now: int) -> str | None: ...
    def prices(self, token_id: str, now: int) -> list[tuple[int, float]]: ...


class GammaCatalogue(Protocol):
    """Gamma's markets, events and tags as of a moment, in ascending id order."""

    def markets(self, now: int) -> list[MarketView]: ...
    def events(self, now: int) -> list[EventView]: ...
    def market_value(self, market_id: str, name: str, now: int) -> Any: ...
    def event_value(self, event_id: str, name: str, now: int) -> Any: ...
    def market_json(self, market_id: str, now: int, include_tag: bool) -> bytes: ...
    def event_json(self, event_id: str, now: int, include_markets: bool) -> bytes: ...
    def tags(self) -> list[bytes]: ...


class DomeBooks(Protocol):
    """Dome's rows and markets. Order and activity lists are ascending by `dome_position`."""

    def orders(self, user: str | None, condition_id: str | None, token_id: str | None) -> Sequence[Any]: ...
    def activity(self, user: str | None) -> Sequence[Any]: ...
    def dome_position(self, row: Any) -> tuple[int, str, int]: ...
    def order_json(self, row: Any, now: int, complete: bool) -> bytes: ...
    def activity_json(self, row: Any, now: int, complete: bool) -> bytes: ...
    def condition_of_slug(self, market_slug: str) -> str | None: ...
    def markets(self, now: int) -> list[DomeMarketView]: ...
    def market_json(self, condition_id: str, now: int, winner_as_object: bool) -> bytes: ...
    def events(self, now: int) -> list[DomeEventView]: ...
    def event_json(self, slug: str, now: int, include_markets: bool) -> bytes: ...
    def sides(self, condition_id: str) -> list[tuple[str, str]]: ...
    def wallet_of_handle(self, handle: str) -> str | None: ...
    def wallet_json(self, address: str, now: int, with_metrics: bool) -> bytes | None: ...


class Source(Protocol):
    """Everything that the replica serves."""

    starts_at: int
    ends_at: int
    data: DataFeeds
    gamma: GammaCatalogue
    dome: DomeBooks

    def stats(self, now: int) -> dict[str, Any]: ...


@dataclass(slots=True)
class Standing:
    """A wallet's place on a board. `volume` is in shares, both sides."""

    wallet: str
    name: str
    pnl_micro: int
    volume_micro: int


@dataclass(slots=True)
class PositionView:
    """A wallet's holding of one token, with what is needed to filter and sort it."""

    token_id: str
    condition_id: str
    event_id: str
    title: str
    status: str
    mergeable: bool
    size_micro: int
    sort_keys: dict[str, float]
    json: bytes


@dataclass(slots=True)
class MarketView:
    """What Gamma's filters look at."""

    id: str
    condition_id: str
    slug: str
    token_ids: tuple[str, ...]
    event_id: str
    active: bool
    closed: bool
    uma_status: str | None
    tag_ids: frozenset[str] = frozenset()


@dataclass(slots=True)
class EventView:
    id: str
    slug: str
    active: bool
    closed: bool
    tag_ids: frozenset[str] = frozenset()
    tag_slugs: frozenset[str] = frozenset()


@dataclass(slots=True)
class DomeMarketView:
    condition_id: str
    market_slug: str
    event_slug: str | None
    title: str
    token_ids: tuple[str, ...]
    tags: tuple[str, ...]
    status: str
    volume: float
    start_time: int
    end_time: int


@dataclass(slots=True)
class DomeEventView:
    slug: str
    tags: tuple[str, ...]
    status: str
    volume: float
    start_time: int
    end_time: int


def id_order(identifier: str) -> tuple[int, str]:
    """Gamma's ids are numbers in texts: shorter ones come first."""
    return (len(identifier), identifier)
