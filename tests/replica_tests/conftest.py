from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.replica import dome
from tests.replica.server import RunningReplica, serve
from tests.replica.world import World
from tests.replica_tests import tiny


@pytest.fixture(scope="session")
def tiny_world() -> tuple[World, dict[str, Any]]:
    return tiny.build_tiny()


@pytest.fixture(scope="session")
def known(tiny_world: tuple[World, dict[str, Any]]) -> dict[str, Any]:
    """The handmade world's special rows and markets."""
    return tiny_world[1]


@pytest.fixture(scope="session")
def tiny_replica(tiny_world: tuple[World, dict[str, Any]]) -> Iterator[RunningReplica]:
    manners = dome.Manners(complete_since=tiny.COMPLETE_SINCE)
    with serve(tiny_world[0], now=tiny.NOW, dome_manners=manners) as running:
        yield running


@pytest.fixture
def replica(tiny_replica: RunningReplica) -> RunningReplica:
    """The handmade world over HTTP, at its own present and without faults."""
    tiny_replica.clock.set(tiny.NOW)
    tiny_replica.clock.auto_advance = 0
    tiny_replica.faults.clear()
    tiny_replica.requests.clear()
    return tiny_replica
