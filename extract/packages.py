"""Reads ahead: while one load package is loaded the next is read, so that only the venue's pace is waited for.

Walks run in threads, loading in the caller's. At most two packages are under way, and what waits to be loaded is
bounded in bytes, so that memory does not depend on how much there is to read.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from types import TracebackType

import pyarrow as pa

from extract.walks import Reading, Walker

#: Bytes of rows that may wait for the package before theirs to be loaded.
WAITING_BYTES = 16_000_000

Stage = Callable[[], Iterable[Reading]]
NamedTable = tuple[str, pa.Table]


@dataclass(frozen=True, slots=True)
class Package:
    """What is loaded together. A stage's readings are made when all readings of the stage before have ended."""

    stages: Sequence[Stage]

    @staticmethod
    def of(readings: Iterable[Reading]) -> Package:
        return Package((lambda: readings,))


class _AbandonedError(Exception):
    """Nobody waits for the rows any more."""


@dataclass(slots=True)
class _Waiting:
    """Tables on their way from the walks to the loader. `put` blocks where too much waits, `__iter__` where nothing."""

    _tables: deque[NamedTable] = field(default_factory=deque)
    _bytes: int = 0
    _has_ended: bool = False
    _is_abandoned: bool = False
    _error: BaseException | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def put(self, table: NamedTable) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_abandoned or self._bytes < WAITING_BYTES)
            if self._is_abandoned:
                raise _AbandonedError
            self._tables.append(table)
            self._bytes += table[1].nbytes
            self._changed.notify_all()

    def check(self) -> None:
        if self._is_abandoned:
            raise _AbandonedError

    def end(self, error: BaseException | None = None) -> None:
        with self._changed:
            self._error = self._error or error
            self._has_ended = True
            self._changed.notify_all()

    def abandon(self) -> None:
        with self._changed:
            self._is_abandoned = True
            self._tables.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[NamedTable]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._tables or self._has_ended)
                if self._error is not None:
                    raise self._error
                if not self._tables:
                    return
                table = self._tables.popleft()
                self._bytes -= table[1].nbytes
                self._changed.notify_all()
            yield table


class Reader:
    """Carries out packages, one after the other, with `workers` walks under way at once.

    A context: left early, it lets the walks under way end after their page and drops what nobody took.
    """

    def __init__(self, walker: Walker, workers: int) -> None:
        self._walker = walker
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="walk")
        self._waiting: list[_Waiting] = []

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._walker.stop.set()
            for waiting in self._waiting:
                waiting.abandon()
        # Not cancelled: whoever waits for a walk that is cancelled before it began waits for ever. It ends at once.
        self._pool.shutdown(wait=kind is None)

    def packages(self, packages: Iterable[Package]) -> Iterator[Iterator[NamedTable]]:
        """Yields each package's tables. The next package is begun as soon as this one's last walk was."""
        to_read = iter(packages)
        current = self._begin(next(to_read, None))
        while current is not None:
            waiting, is_begun = current
            following: list[tuple[_Waiting, threading.Event] | None] = []
            # In a thread of its own: the caller takes this package's tables meanwhile.
            ahead = threading.Thread(target=self._begin_next, args=(is_begun, to_read, following), daemon=True)
            ahead.start()
            yield iter(waiting)
            ahead.join()
            current = following[0] if following else None

    def _begin_next(
        self,
        is_begun: threading.Event,
        to_read: Iterator[Package],
        following: list[tuple[_Waiting, threading.Event] | None],
    ) -> None:
        # A walk of the next package may wait for this one to be loaded; none of this one's may wait behind it.
        is_begun.wait()
        following.append(self._begin(next(to_read, None)))

    def _begin(self, package: Package | None) -> tuple[_Waiting, threading.Event] | None:
        if package is None:
            return None
        waiting, is_begun = _Waiting(), threading.Event()
        self._waiting.append(waiting)
        threading.Thread(target=self._carry_out, args=(package, waiting, is_begun), daemon=True).start()
        return waiting, is_begun

    def _carry_out(self, package: Package, waiting: _Waiting, is_begun: threading.Event) -> None:
        error: BaseException | None = None
        try:
            for number, stage in enumerate(package.stages, start=1):
                walks = [self._pool.submit(self._read, reading, waiting) for reading in stage()]
                if number == len(package.stages):
                    is_begun.set()
                wait(walks)
                error = error or next((walk.exception() for walk in walks if walk.exception()), None)
        except BaseException as unforeseen:
            error = unforeseen
        finally:
            is_begun.set()
            waiting.end(None if isinstance(error, _AbandonedError) else error)
            self._waiting.remove(waiting)

    def _read(self, reading: Reading, waiting: _Waiting) -> None:
        waiting.check()
        for table in self._walker.walk(reading):
            waiting.put(table)
