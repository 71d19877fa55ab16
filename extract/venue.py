"""What a run needs to know of a venue: which readings there are, not how they are carried out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from extract.raw import RawTable
from extract.settings import VenueSettings
from extract.walks import Reading

Keys = Mapping[str, Sequence[str | None]]

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
CONDITION = re.compile(r"0x[0-9a-fA-F]{62,64}")

#: How far back the venue's feed is read where it never was.
FIRST_LOOK_BACK = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class WalkStart:
    """Where a wallet's walk begins: `bound_from` None is the whole history.

    `expect_rows`: the warehouse holds rows of the wallet in these bounds, or the venue listed it as a trader.
    """

    bound_from: datetime | None
    expect_rows: bool


@dataclass(frozen=True, slots=True)
class LookUp:
    """Fetches things by id, in full batches.

    Args:
        table: raw table of the things.
        id_column: column of `table` that holds the id asked for.
        batch_size: most ids in one request.
        variants: what must be asked one after the other to see everything, for instance closed and open markets;
            ids that one variant returned are not asked for again.
        reading: makes the reading for (ids, variant).
        names: ids that rows of this table name for the next look-up.
    """

    table: RawTable
    id_column: str
    batch_size: int
    variants: tuple[str, ...]
    reading: Callable[[Sequence[str], str], Reading]
    names: Callable[[Sequence[msgspec.Raw]], Iterable[str]]


class Venue(Protocol):
    """One venue's readings. `look_ups` run in order, each fed by the ids that the one before named."""

    name: str
    wallet_tables: tuple[str, ...]

    @property
    def settings(self) -> VenueSettings: ...

    @property
    def look_ups(self) -> tuple[LookUp, ...]: ...

    @property
    def requests_made(self) -> int: ...

    def discovery(self, count: int | None) -> Sequence[Reading]:
        """Readings that name wallets worth following, in the first key column; none where the venue names none.

        Args:
            count: the first so many of the venue's overall board, and no other board.
        """
        ...

    def feed(self, since: datetime | None) -> Reading | None:
        """All new trades of everybody, whose wallets stand in the first key column; None where the venue has none.

        It fails where the venue cannot tell everything since then.

        Args:
            since: how far back; None is FIRST_LOOK_BACK before the venue's clock.
        """
        ...

    def market_reading(self, condition_id: str, start: WalkStart) -> Reading:
        """All trades of a market, whosesoever."""
        ...

    def wallet_readings(self, wallet: str, starts: Mapping[str, WalkStart]) -> Iterator[Reading]:
        """One reading per table in `starts`."""
        ...

    def account_readings(self, wallet: str) -> Iterator[Reading]:
        """What the venue itself makes of the wallet's positions and profit; none where it does not say."""
        ...

    def settlement_readings(self, condition_ids: Sequence[str]) -> Iterator[Reading]:
        """What markets paid, in full batches; none where markets say it themselves."""
        ...

    def close(self) -> None: ...
