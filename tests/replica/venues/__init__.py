"""The venues that are read for their prices, side by side: the same questions, each in the venue's own objects."""

from __future__ import annotations

from starlette.routing import BaseRoute

from tests.replica.venues import betfair, kalshi, predictit, smarkets
from tests.replica.venues.betfair_world import BetfairWorld
from tests.replica.venues.kalshi_world import KalshiWorld
from tests.replica.venues.predictit import PredictItWorld
from tests.replica.venues.questions import build_questions
from tests.replica.venues.smarkets_world import SmarketsWorld

#: Settings that point the extractor at the mounts below, under the replica's address.
PATHS = {
    "SOURCES__KALSHI__BASE_URL": "/kalshi/trade-api/v2",
    "SOURCES__PREDICTIT__BASE_URL": "/predictit/api/marketdata",
    "SOURCES__SMARKETS__BASE_URL": "/smarkets/v3",
    "SOURCES__BETFAIR__API_URL": "/betfair/exchange",
    "SOURCES__BETFAIR__IDENTITY_URL": "/betfair/api",
}


def mounts(seed: int, count: int, ends_at: int) -> list[BaseRoute]:
    """All venues over `count` questions of the 60 days before `ends_at`."""
    questions = build_questions(seed, count, ends_at)
    return [
        kalshi.mount(kalshi.Synthetic(KalshiWorld(questions, ends_at))),
        predictit.mount(PredictItWorld(questions, ends_at)),
        smarkets.mount(SmarketsWorld(questions, ends_at), smarkets.Manners(limit=10_000)),
        betfair.mount(BetfairWorld(questions, ends_at)),
    ]
