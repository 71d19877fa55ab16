"""What a run needs to know of a venue that is read for its prices: lists and quotes now, histories window by window."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import msgspec

from extract.settings import VenueSettings
from extract.walks import Reading

Keys = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the venue's own time, both ends included: `start` before `end`, both UTC."""

    start: datetime
    end: datetime


@dataclass(slots=True)
class Found:
    """What the pages of a run have said so far: the key columns of every row, by raw table. Safe for many threads.

    `since` is the earliest moment of the venue's time that the run's windows reach. `due` are the markets, by the
    venue's own names, whose outcome the warehouse does not know yet (`outcomes_needing_sync`): venues list a market no
    more once it is closed.
    """

    since: datetime
    due: tuple[str, ...] = ()
    _rows: dict[str, list[Keys]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def noting(self, reading: Reading) -> Reading:
        """The reading, of whose rows the key texts are kept."""
        return replace(reading, listener=partial(self._note, reading.table.name))

    def _note(self, table: str, rows: Sequence[msgspec.Raw], keys: Mapping[str, Sequence[str | None]]) -> None:
        named = [dict(zip(keys, texts, strict=True)) for texts in zip(*keys.values(), strict=True)]
        with self._lock:
            self._rows.setdefault(table, []).extend(named)

    def rows(self, table: str) -> list[Keys]:
        """The key texts of each row of a raw table, in the order in which pages arrived."""
        with self._lock:
            return list(self._rows.get(table, ()))

    def column(self, table: str, column: str) -> list[str]:
        """The distinct texts of one key column, each once, in the order in which they arrived."""
        return list(dict.fromkeys(text for row in self.rows(table) if (text := row[column]) is not None))


@dataclass(frozen=True, slots=True)
class Phase:
    """Readings that need what earlier phases found, and nothing of each other."""

    name: str
    readings: Callable[[Found], Iterable[Reading]]


@dataclass(frozen=True, slots=True)
class History:
    """What a venue tells of its past.

    Args:
        sync_type: name of the raw table that takes it, and of its checkpoints.
        scope: what else decides which rows come, such as the length of a candle. A window that was completed in one
            scope is not completed in another.
        reading: makes the one reading of a window; its record is the window's checkpoint.
        needs_lists: asks for what the phases found, so that it must not be read when one of them failed.
    """

    sync_type: str
    scope: str
    reading: Callable[[Window, Found], Reading]
    needs_lists: bool


class PriceVenue(Protocol):
    """One venue's readings of markets and prices."""

    name: str

    @property
    def settings(self) -> VenueSettings: ...

    @property
    def requests_made(self) -> int: ...

    @property
    def histories(self) -> tuple[History, ...]:
        """None where a venue only tells what is now."""
        ...

    def phases(self) -> Sequence[Phase]:
        """Lists and current quotes, and what `histories` need to know of the time from `Found.since` on."""
        ...

    def close(self) -> None: ...


def windows_between(start: datetime, end: datetime, length: timedelta) -> list[Window]:
    """Windows of `length` that cover `start` to `end`, the last one cut at `end`; none where that is no stretch."""
    windows = []
    while start < end:
        windows.append(Window(start, min(start + length, end)))
        start += length
    return windows


def is_covered(window: Window, completed: Iterable[Window]) -> bool:
    """Whether the completed stretches, put together, leave no moment of `window` out."""
    reached = window.start
    for stretch in sorted(completed, key=lambda stretch: stretch.start):
        if stretch.start > reached:
            break
        reached = max(reached, stretch.end)
    return reached >= window.end
