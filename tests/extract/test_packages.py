"""Packages: whole walks, stage after stage, read ahead of the loader within bounded memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pyarrow as pa
import pytest

from extract import packages
from extract.packages import Package, Reader
from extract.raw import RawTable
from extract.walks import Page, Reading, Walker

THINGS = RawTable("things", {"name": "name"})
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def reading(scope: str, pages: int = 1, started: list[str] | None = None, rows: int = 1) -> Reading:
    def read() -> Iterator[Page]:
        if started is not None:
            started.append(scope)
        for page in range(pages):
            text = [msgspec.Raw(f'{{"name":"{scope} {page} {row}"}}'.encode()) for row in range(rows)]
            yield Page(text, NOW, None if page + 1 == pages else f"{scope} {page}")

    return Reading(THINGS, scope, read)


def walker() -> Walker:
    return Walker("run", lambda *_: None)


def names(tables: Iterator[tuple[str, pa.Table]]) -> tuple[list[str], list[str]]:
    """The rows' names, and the scopes whose walks were recorded."""
    rows: list[str] = []
    scopes: list[str] = []
    for table, content in tables:
        if table == "things":
            rows += content["name"].to_pylist()
        else:
            scopes += content["scope"].to_pylist()
    return rows, scopes


def test_a_package_holds_its_walks_whole_and_no_others() -> None:
    groups = [[f"{group}{number}" for number in range(5)] for group in "abc"]
    with Reader(walker(), 3) as reader:
        read = [
            names(tables)
            for tables in reader.packages(Package.of([reading(scope, pages=3) for scope in group]) for group in groups)
        ]
    for (rows, scopes), group in zip(read, groups, strict=True):
        assert sorted(scopes) == group
        assert sorted(rows) == sorted(f"{scope} {page} 0" for scope in group for page in range(3))


def test_a_stage_begins_when_the_one_before_has_ended() -> None:
    ended: list[str] = []
    listener = Walker("run", lambda reading, _: ended.append(reading.scope))

    def second() -> Iterator[Reading]:
        assert sorted(ended) == ["a", "b", "c"]
        yield reading("d")

    with Reader(listener, 2) as reader:
        stages = (lambda: [reading(scope, pages=2) for scope in "abc"], second)
        (tables,) = [names(tables) for tables in reader.packages([Package(stages)])]
    assert sorted(tables[1]) == ["a", "b", "c", "d"]


def test_the_next_package_is_read_while_one_is_loaded_and_the_one_after_is_not() -> None:
    started: list[str] = []
    with Reader(walker(), 2) as reader:
        for number, tables in enumerate(
            reader.packages(Package.of([reading(str(n), started=started)]) for n in range(4))
        ):
            names(tables)
            deadline = time.monotonic() + 10
            while len(started) < min(number + 2, 4) and time.monotonic() < deadline:
                time.sleep(0.001)
            assert len(started) <= number + 2
            assert started[: number + 2] == [str(n) for n in range(min(number + 2, 4))]


def test_what_waits_to_be_loaded_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "WAITING_BYTES", 20_000)
    waiting, most = 0, 0
    lock = threading.Lock()

    def note(rows: object, keys: object) -> None:
        nonlocal waiting, most
        with lock:
            waiting += 1
            most = max(most, waiting)

    readings = [replace(reading(str(n), pages=40, rows=50), listener=note) for n in range(4)]
    with Reader(walker(), 4) as reader:
        for tables in reader.packages([Package.of(readings)]):
            for table, _ in tables:
                time.sleep(0.001)
                if table == "things":
                    with lock:
                        waiting -= 1
    # A page is some 5 kB; beside the bound each worker may hold one in its hands, and the loader one.
    assert most < 15


def test_a_mistake_in_a_walk_ends_the_run_and_not_in_silence() -> None:
    def broken() -> Iterator[Page]:
        yield Page([msgspec.Raw(b'{"name":"first"}')], NOW, "more")
        raise ZeroDivisionError("a mistake of ours")

    with pytest.raises(ZeroDivisionError), Reader(walker(), 2) as reader:
        for tables in reader.packages([Package.of([Reading(THINGS, "broken", broken), reading("whole")])]):
            names(tables)


def test_who_leaves_early_leaves_no_thread_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "WAITING_BYTES", 1)
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt), Reader(walker(), 3) as reader:
        for tables in reader.packages(Package.of([reading(f"{n}{m}", pages=50) for m in range(5)]) for n in range(3)):
            next(tables)
            raise KeyboardInterrupt
    deadline = time.monotonic() + 10
    # Of those that it began: other tests' threads come and go.
    while left := [thread for thread in threading.enumerate() if thread not in before]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    assert left == []
