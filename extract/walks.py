"""A walk reads one thing from start to end through all its pages, and leaves a record that says how it went.

The record is yielded after the walk's rows, so that both are in one load package: a watermark can never be committed
without its data. A walk that meets a lying or failing venue ends as `failed`; what it had read stays.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
import pyarrow as pa

from extract.http import VenueError
from extract.raw import RawTable

ERROR_LENGTH = 500

#: Called with (rows, their keys) of each page: how a run learns what its rows name.
RowListener = Callable[[list[msgspec.Raw], dict[str, list[str | None]]], None]


class _StoppedError(Exception):
    """The run was asked to end."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one answer in the venue's order, each as its own JSON text.

    `cursor` names the next page; None: this was the last. `venue_time` is the venue's clock, None where it has none.
    """

    rows: list[msgspec.Raw]
    venue_time: datetime | None
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What one walk is to read.

    Args:
        table: raw table that takes the rows.
        scope: the thing read: a wallet, or the name of a look-up.
        pages: starts the walk; yields its pages to the end.
        bound_from, bound_to: inclusive bounds of the venue's own time; None is no bound.
        time_key: column of `table` that holds a row's time as UNIX seconds, if rows have one.
        expect_rows: the venue is known to have rows in these bounds, so an empty answer is a fault.
        filter_key, filter_values: column of `table` and the only (lower-case) values that answer what was asked;
            venues silently ignore filters they do not know.
        resource: what the walk's record calls the thing read; the table's name where it is not given.
        is_kept: False where only what the rows tell is of use: the walk's record is loaded, the rows are not.
        listener: called with the rows of each page and their keys.
    """

    table: RawTable
    scope: str
    pages: Callable[[], Iterator[Page]]
    bound_from: datetime | None = None
    bound_to: datetime | None = None
    time_key: str | None = None
    expect_rows: bool = False
    filter_key: str | None = None
    filter_values: frozenset[str] = frozenset()
    resource: str | None = None
    is_kept: bool = True
    listener: RowListener | None = None


@dataclass(slots=True)
class WalkRecord:
    """One row of the raw table `walks`: what was read, how far, and whether that was all of it.

    `status` is `completed`, `failed`, or `interrupted` where the run was stopped in the middle of the walk.
    """

    walk_id: str
    run_id: str
    resource: str
    scope: str
    bound_from: datetime | None
    bound_to: datetime | None
    started_at: datetime
    status: str = "failed"
    error: str | None = None
    pages: int = 0
    row_count: int = 0
    requests: int = 0
    newest_item_at: datetime | None = None
    oldest_item_at: datetime | None = None
    venue_time: datetime | None = None
    ended_at: datetime | None = None
    duration_ms: int = 0

    def table(self) -> pa.Table:
        return pa.table({name: pa.array([getattr(self, name)], type_) for name, type_ in WALK_COLUMNS.items()})


_TIME = pa.timestamp("us", tz="UTC")
WALK_COLUMNS: dict[str, pa.DataType] = {
    "walk_id": pa.string(),
    "run_id": pa.string(),
    "resource": pa.string(),
    "scope": pa.string(),
    "bound_from": _TIME,
    "bound_to": _TIME,
    "status": pa.string(),
    "error": pa.string(),
    "pages": pa.int64(),
    "row_count": pa.int64(),
    "requests": pa.int64(),
    "newest_item_at": _TIME,
    "oldest_item_at": _TIME,
    "venue_time": _TIME,
    "started_at": _TIME,
    "ended_at": _TIME,
    "duration_ms": pa.int64(),
}

WalkListener = Callable[[Reading, WalkRecord], None]


@dataclass(slots=True)
class Walker:
    """Carries out readings for one run."""

    run_id: str
    on_walk: WalkListener
    stop: threading.Event = field(default_factory=threading.Event)

    def walk(self, reading: Reading) -> Iterator[tuple[str, pa.Table]]:
        """Yields (table name, rows) page by page, and last the walk's own record. Raises nothing of the venue's."""
        record = WalkRecord(
            walk_id=uuid.uuid4().hex,
            run_id=self.run_id,
            resource=reading.resource or reading.table.name,
            scope=reading.scope,
            bound_from=reading.bound_from,
            bound_to=reading.bound_to,
            started_at=datetime.now(UTC),
        )
        try:
            for page in self._checked_pages(reading, record):
                keys = reading.table.keys_of(page.rows)
                _check_filter(reading, keys)
                table = reading.table.table(
                    page.rows,
                    keys,
                    fetched_at=datetime.now(UTC),
                    walk_id=record.walk_id,
                    first_position=record.row_count,
                )
                record.row_count += len(page.rows)
                _note_times(record, reading, keys)
                if reading.listener is not None:
                    reading.listener(page.rows, keys)
                if reading.is_kept:
                    yield reading.table.name, table
            record.status = "completed"
        except _StoppedError:
            record.status = "interrupted"
        except (VenueError, msgspec.DecodeError) as error:
            record.error = _one_line(error, reading)
        record.ended_at = datetime.now(UTC)
        record.duration_ms = int((record.ended_at - record.started_at).total_seconds() * 1000)
        self.on_walk(reading, record)
        yield "walks", record.table()

    def _checked_pages(self, reading: Reading, record: WalkRecord) -> Iterator[Page]:
        """The reading's pages that hold rows, as long as they get on and never come round again."""
        cursors: set[str] = set()
        before: list[msgspec.Raw] = []
        for page in _asked_again_if_empty(reading, record):
            record.requests += 1
            record.pages += 1
            record.venue_time = record.venue_time or page.venue_time
            if self.stop.is_set():
                raise _StoppedError
            if page.rows and page.rows == before:
                raise VenueError(f"page {record.pages} of {reading.scope} came twice")
            if page.cursor is not None and page.cursor in cursors:
                raise VenueError(f"page {record.pages} of {reading.scope} leads back to an earlier page")
            if page.cursor is not None:
                cursors.add(page.cursor)
            before = page.rows
            if page.rows:
                yield page


def _asked_again_if_empty(reading: Reading, record: WalkRecord) -> Iterator[Page]:
    """The reading's pages; where rows are known to exist an empty answer is asked for once more, then refused."""
    pages = reading.pages()
    first = next(pages)
    if reading.expect_rows and not first.rows and first.cursor is None:
        record.requests += 1
        pages = reading.pages()
        first = next(pages)
        if not first.rows and first.cursor is None:
            raise VenueError(f"empty answer for {reading.scope}, which is known to have rows")
    yield first
    yield from pages


def _check_filter(reading: Reading, keys: dict[str, list[str | None]]) -> None:
    if reading.filter_key is None:
        return
    strangers = {(text or "").lower() for text in set(keys[reading.filter_key])} - reading.filter_values
    if strangers:
        stranger = min(strangers)[:80]
        raise VenueError(f"asked for {reading.scope}, was given {reading.filter_key} {stranger!r}")


def _note_times(record: WalkRecord, reading: Reading, keys: dict[str, list[str | None]]) -> None:
    if reading.time_key is None:
        return
    times = seconds(keys[reading.time_key])
    if not times:
        return
    newest, oldest = _utc(max(times)), _utc(min(times))
    record.newest_item_at = max(filter(None, (record.newest_item_at, newest)))
    record.oldest_item_at = min(filter(None, (record.oldest_item_at, oldest)))


def seconds(texts: Iterable[str | None]) -> list[int]:
    """UNIX seconds up to the year 2286; milliseconds and nonsense are not taken for a time."""
    return [int(text) for text in texts if text is not None and text.isdecimal() and len(text) <= 10]


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _one_line(error: Exception, reading: Reading) -> str:
    text = str(error) if isinstance(error, VenueError) else f"{reading.table.name} of {reading.scope}: {error}"
    return text[:ERROR_LENGTH]
