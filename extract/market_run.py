"""One run of a price venue: what is listed and quoted now, then what it tells of the past, window by window.

A window is one walk per kind of history, so the walk's record, which is loaded with the rows, is the window's
checkpoint: it cannot exist without its data. Quotes of now are stamped with the moment at which they were read and
go to tables of their own; nothing that a window brings was asked of anything but an endpoint for the past.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain

import pyarrow as pa
from dlt.common.utils import chunks

from extract.packages import Package
from extract.price_venue import Found, History, PriceVenue, Window, is_covered, windows_between
from extract.sinks import Sink
from extract.tally import Tally
from extract.venue import FIRST_LOOK_BACK
from extract.walks import Reading, Walker, WalkRecord

WINDOWS_PER_WORKER = 2
"""Windows in one load package, per worker: what a crash can cost."""

_TIME = pa.timestamp("us", tz="UTC")
WINDOW_COLUMNS: dict[str, pa.DataType] = {
    "run_id": pa.string(),
    "resource": pa.string(),
    "scope": pa.string(),
    "bound_from": _TIME,
    "bound_to": _TIME,
    "planned_at": _TIME,
}

#: Stretches per (sync type, scope).
Stretches = Mapping[tuple[str, str], Sequence[Window]]


@dataclass(frozen=True, slots=True)
class Range:
    """What the command line asks for. No start: from where the last run ended, less the overlap."""

    command: str
    start: datetime | None = None
    end: datetime | None = None
    window: timedelta = timedelta(days=7)


@dataclass(slots=True)
class MarketRun:
    """Carries out one run of one price venue. `stop` ends it early: open walks are interrupted, loaded ones stay.

    `completed` and `planned` are windows of committed loads: those read to their end, and all that any run was going to
    read. What is in the second and not in the first is read by the next run without a range.
    """

    venue: PriceVenue
    asked: Range
    completed: Stretches
    planned: Stretches
    sink: Sink
    workers: int
    due: tuple[str, ...] = ()
    stop: threading.Event = field(default_factory=threading.Event)
    tally: Tally = field(default_factory=Tally)
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    windows_skipped: int = 0
    unit: str = "windows"
    _found: Found = field(init=False)
    _venue_time: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._found = Found(self._since(), self.due)

    def execute(self) -> None:
        """Venue faults end as failed walks; raises nothing of the venue's."""
        for phase in self.venue.phases():
            self.tally.phase = phase.name
            self._found.since = self._since()
            self._take(phase.readings(self._found))
        planned = self._plan(self._now())
        self.tally.wallets_total = len(planned)
        if planned and not self.stop.is_set():
            self.sink.take_tables([("windows", self._plan_table(planned))])
        if self.tally.walks_failed:
            # Asked for the markets of half a list a window would be completed without the other half's rows.
            planned = [(history, window) for history, window in planned if not history.needs_lists]
        for batch in chunks(planned, self.workers * WINDOWS_PER_WORKER):
            self.tally.phase = batch[0][0].sync_type
            self._take(history.reading(window, self._found) for history, window in batch)
        self.sink.take_tables([("runs", self._record())])

    # -- windows

    def _since(self) -> datetime:
        """The earliest moment that any window of this run begins at."""
        starts = [self._start(history) for history in self.venue.histories]
        starts += [window.start for history in self.venue.histories for window in self._left_over(history)]
        return min(starts, default=self._now() - FIRST_LOOK_BACK)

    def _start(self, history: History) -> datetime:
        if self.asked.start is not None:
            return self.asked.start
        ends = [window.end for window in self.completed.get((history.sync_type, history.scope), ())]
        if not ends:
            return self._now() - FIRST_LOOK_BACK
        return max(ends) - timedelta(seconds=self.venue.settings.overlap)

    def _left_over(self, history: History) -> list[Window]:
        """Windows that an earlier run failed to read, or did not come to; none where a range is asked for."""
        if self.asked.start is not None:
            return []
        key = (history.sync_type, history.scope)
        done = self.completed.get(key, ())
        return [window for window in dict.fromkeys(self.planned.get(key, ())) if not is_covered(window, done)]

    def _now(self) -> datetime:
        """The venue's clock: a window must not end later than what the venue can tell of."""
        return self._venue_time or self.started_at

    def _plan(self, now: datetime) -> list[tuple[History, Window]]:
        """Windows not completed yet, oldest first, all kinds of history of one window side by side."""
        end = now if self.asked.end is None else min(self.asked.end, now)
        planned = []
        for history in self.venue.histories:
            done = self.completed.get((history.sync_type, history.scope), ())
            fresh = windows_between(self._start(history), end, self.asked.window)
            for window in fresh:
                if self.asked.start is not None and is_covered(window, done):
                    self.windows_skipped += 1
                else:
                    planned.append((history, window))
            again = [window for window in self._left_over(history) if not is_covered(window, [*done, *fresh])]
            planned += [(history, window) for window in again]
        return sorted(planned, key=lambda item: item[1].start)

    def _plan_table(self, planned: Sequence[tuple[History, Window]]) -> pa.Table:
        """Rows of the raw table `windows`: what this run is going to fetch."""
        values = {
            "run_id": [self.run_id for _ in planned],
            "resource": [history.sync_type for history, _ in planned],
            "scope": [history.scope for history, _ in planned],
            "bound_from": [window.start for _, window in planned],
            "bound_to": [window.end for _, window in planned],
            "planned_at": [datetime.now(UTC) for _ in planned],
        }
        return pa.table({name: pa.array(values[name], type_) for name, type_ in WINDOW_COLUMNS.items()})

    # -- walks

    def _take(self, readings: Iterable[Reading]) -> None:
        to_take = iter(readings)
        first = next(to_take, None)
        if first is None or self.stop.is_set():
            return
        walker = Walker(self.run_id, self._on_walk, self.stop)
        self.sink.take_packages(walker, [Package.of(self._until_stopped(chain([first], to_take)))])

    def _until_stopped(self, readings: Iterable[Reading]) -> Iterator[Reading]:
        for reading in readings:
            if self.stop.is_set():
                return
            yield self._found.noting(reading)

    def _on_walk(self, reading: Reading, record: WalkRecord) -> None:
        self.tally.note_walk(reading, record)
        with self._lock:
            if record.venue_time is not None:
                self._venue_time = max(filter(None, (self._venue_time, record.venue_time)))
            if reading.bound_to is not None and record.status == "completed":
                self.tally.wallets_done += 1

    def _record(self) -> pa.Table:
        """Price venues have no wallets."""
        return self.tally.record(
            self.run_id,
            self.asked.command,
            self.started_at,
            is_stopped=self.stop.is_set(),
            requests=self.venue.requests_made,
        )
