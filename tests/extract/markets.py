"""Runs of price venues into memory, and what their request logs say about pace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from extract.market_run import MarketRun, Range
from extract.price_venue import PriceVenue
from tests.extract.conftest import MemorySink

Rows = dict[str, list[dict[str, Any]]]


def run_market(venue: PriceVenue, due: Sequence[str] = ()) -> tuple[MarketRun, Rows]:
    """One run of everything that is listed now; its rows per raw table."""
    sink = MemorySink()
    run = MarketRun(venue, Range("run"), {}, {}, sink, venue.settings.workers, tuple(due))
    try:
        run.execute()
    finally:
        venue.close()
    return run, sink.rows


def most_within(times: Sequence[float], seconds: float) -> int:
    """The most events in any stretch of that length."""
    ordered = sorted(times)
    most, first = 0, 0
    for last, at in enumerate(ordered):
        while at - ordered[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most
