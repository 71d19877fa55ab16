"""The pace of venues that are asked often in every 10 and every 60 seconds, as its server sees it.

`make soak` waits for whole minutes. Otherwise time is compressed: a pace of 8 requests a second is kept in every 10 of
them when a pace of 40 is kept in every 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from extract.betfair import Betfair
from extract.kalshi import Kalshi
from extract.market_run import MarketRun, Range
from extract.price_venue import PriceVenue
from extract.smarkets import Smarkets
from tests.extract.conftest import MemorySink
from tests.extract.markets import most_within
from tests.replica.server import RunningReplica, serve
from tests.replica.venues import PATHS, betfair, kalshi, smarkets
from tests.replica.venues.betfair_world import BetfairWorld
from tests.replica.venues.kalshi_world import KalshiWorld
from tests.replica.venues.questions import DAY, build_questions
from tests.replica.venues.smarkets_world import SmarketsWorld
from tests.replica.world import World
from tests.warehouse.conftest import SOAK

NOW = 1_772_323_200
QUESTIONS = build_questions(seed=5, count=60, ends_at=NOW)
#: Requests that arrive late make room for others that arrive on time.
LATE = 4


@pytest.fixture
def replica(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningReplica]:
    account = betfair.Manners()
    mounts = (
        kalshi.mount(kalshi.Synthetic(KalshiWorld(QUESTIONS[:10], NOW))),
        smarkets.mount(SmarketsWorld(QUESTIONS, NOW), smarkets.Manners(limit=100_000)),
        betfair.mount(BetfairWorld(QUESTIONS, NOW), account),
    )
    with serve(world, NOW, mounts=mounts) as running:
        for name, path in PATHS.items():
            monkeypatch.setenv(name, running.url + path)
        for name in ("username", "password", "app_key"):
            monkeypatch.setenv(f"SOURCES__BETFAIR__{name.upper()}", getattr(account, name))
        yield running


@pytest.mark.parametrize(
    ("maker", "compressed", "allowed"),
    [
        # Without a key nothing is published; with one 20 reads a second.
        pytest.param(Kalshi, 5, {10: 80 + LATE, 60: 480 + LATE}, id="kalshi"),
        # 20 in 60 seconds.
        pytest.param(Smarkets, 60, {10: 20, 60: 20}, id="smarkets"),
        # 5 a second per market.
        pytest.param(Betfair, 10, {10: 40 + LATE, 60: 240 + LATE}, id="betfair"),
    ],
)
def test_the_pace_is_kept_in_every_ten_and_every_sixty_seconds(
    replica: RunningReplica,
    monkeypatch: pytest.MonkeyPatch,
    maker: Callable[[], PriceVenue],
    compressed: int,
    allowed: dict[int, int],
) -> None:
    # Small pages make many requests.
    monkeypatch.setattr("extract.smarkets.EVENTS_PAGE", 3)
    monkeypatch.setattr("extract.smarkets.QUOTE_IDS", 2)
    monkeypatch.setattr("extract.betfair.BOOKS_PAGE", 1)
    scale = 1 if SOAK else compressed
    name = f"SOURCES__{maker.name.upper()}__REQUESTS_PER_SECOND"
    monkeypatch.setenv(name, str(default_pace(maker) * scale))
    shortest = 60 if SOAK or compressed > 50 else 10
    venue, times = maker(), [0.0]
    while times[-1] - times[0] < 1.1 * shortest / scale or len(times) <= allowed[shortest]:
        observe(venue)
        times = [request.at for request in replica.requests]
    venue.close()
    for seconds, most in allowed.items():
        assert most_within(times, seconds / scale) <= most
    assert {request.status for request in replica.requests} == {200}


def default_pace(maker: Callable[[], PriceVenue]) -> float:
    venue = maker()
    venue.close()
    return venue.settings.requests_per_second


def observe(venue: PriceVenue) -> None:
    """A run of windows of half a day, where the venue has any past."""
    asked = Range("run", datetime.fromtimestamp(NOW - 3 * DAY, UTC), window=timedelta(hours=12))
    MarketRun(venue, asked, {}, {}, MemorySink(), 4).execute()
