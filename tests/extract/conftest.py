"""A small world behind the replica, and a sink that keeps what a run reads in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from extract.dome import Dome
from extract.packages import NamedTable, Package, Reader
from extract.polymarket import Polymarket
from extract.run import Due, Options, Run
from extract.venue import Venue
from extract.walks import Walker
from tests.replica.server import RunningReplica, serve
from tests.replica.world import World, build_world


@dataclass
class MemorySink:
    """Rows per raw table, as dictionaries."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    packages: int = 0

    def take_packages(self, walker: Walker, packages: Iterable[Package]) -> None:
        with Reader(walker, 4) as reader:
            for tables in reader.packages(packages):
                self.take_tables(tables)

    def take_tables(self, tables: Iterable[NamedTable]) -> None:
        taken = [(name, table.to_pylist()) for name, table in tables]
        self.packages += bool(taken)
        for name, rows in taken:
            self.rows.setdefault(name, []).extend(rows)


@dataclass
class Outcome:
    """What a run left behind."""

    run: Run
    rows: dict[str, list[dict[str, Any]]]
    packages: int = 0

    def walks(self, resource: str, scope: str | None = None) -> list[dict[str, Any]]:
        return [walk for walk in self.rows["walks"] if walk["resource"] == resource and scope in (None, walk["scope"])]


Runner = Callable[..., Outcome]


@pytest.fixture(scope="package")
def world() -> World:
    return build_world(seed=11, wallets=40, markets=130, fills=9000)


@pytest.fixture
def replica(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningReplica]:
    with serve(world) as running:
        use(running, monkeypatch)
        yield running


def use(running: RunningReplica, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points the settings at a replica: full pace, retries without waiting."""
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    for venue in ("POLYMARKET", "DOME"):
        monkeypatch.setenv(f"SOURCES__{venue}__REQUESTS_PER_SECOND", "2000")
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.01")


@pytest.fixture
def run_polymarket(replica: RunningReplica) -> Runner:
    return lambda **options: carry_out(Polymarket(), **options)


@pytest.fixture
def run_dome(replica: RunningReplica) -> Runner:
    return lambda **options: carry_out(Dome(), **options)


def carry_out(venue: Venue, due: Due | None = None, **options: Any) -> Outcome:
    sink = MemorySink()
    run = Run(venue, Options(command="test", **options), due or Due(), sink)
    try:
        run.execute()
    finally:
        venue.close()
    return Outcome(run, sink.rows, sink.packages)
