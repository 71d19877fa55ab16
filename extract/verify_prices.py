"""Asking a venue of prices again: which markets it lists that the warehouse lacks, and which prices cannot be right.

What a price was cannot be asked again where a venue only tells what is now; whether prices make sense is decided by the
model `price_anomalies`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dlt
import msgspec

from extract.price_venue import Found, PriceVenue
from extract.verify import Finding, Outcome, Scope, needed_rows, timestamp
from extract.walks import Reading, Walker, WalkRecord
from extract.warehouse import committed, raw_rows, utc

#: Raw table of the venue's markets, the first of whose keys is the market's id.
MARKETS = "markets"


class _Listed(msgspec.Struct):
    """When the market came into being, by the names that venues have for it."""

    created: datetime | None = None
    created_time: datetime | None = None


@dataclass(slots=True)
class PricesCheck:
    """Reads the venue's lists of markets anew, and what the warehouse knows to be wrong with its prices."""

    venue: PriceVenue
    pipeline: dlt.Pipeline

    def run(self, scope: Scope, outcome: Outcome) -> None:
        outcome.findings += self._missing(outcome)
        note_known(self.pipeline, self.venue.name, scope, outcome)

    def _missing(self, outcome: Outcome) -> Iterator[Finding]:
        """Markets that are listed now, were there when a run listed them last, and are not in the warehouse."""
        name = self.venue.name
        known = {row[0] for row in needed_rows(self.pipeline, "markets", ("market_id",), f"where venue = '{name}'")}
        last_listed = _last_listed(self.pipeline)
        listed = self._listed(outcome)
        outcome.note_asked("markets", len(listed))
        for market, created in listed.items():
            if f"{name}:{market}" in known:
                continue
            if created is not None and last_listed is not None and created > last_listed:
                continue
            yield Finding(
                kind="missing_market",
                scope=f"{name}:{market}",
                rows=1,
                detail="the venue lists it, and the warehouse does not have it",
                what_to_do=f"dlt pipeline {name} run",
                first_at=created,
                last_at=created,
            )

    def _listed(self, outcome: Outcome) -> dict[str, datetime | None]:
        """The venue's own ids of the markets that it lists, and since when they are there."""
        found = Found(datetime.now(UTC))
        payloads: list[str] = []

        def note_walk(reading: Reading, record: WalkRecord) -> None:
            if record.status != "completed":
                outcome.unanswered[f"{reading.table.name} {reading.scope}"] = record.error or ""
            # As in a run: by the venue's clock, once it is known.
            found.since = record.venue_time or found.since

        walker = Walker("verify", note_walk)
        for phase in self.venue.phases():
            for reading in phase.readings(found):
                for name, table in walker.walk(found.noting(reading)):
                    if name == MARKETS:
                        payloads += table["payload"].to_pylist()
            if payloads:
                break
        ids = [next(iter(row.values())) for row in found.rows(MARKETS)]
        return {str(market): _created(payload) for market, payload in zip(ids, payloads, strict=True)}


def _last_listed(pipeline: dlt.Pipeline) -> datetime | None:
    """When a run began to read the venue's markets last, by the venue's clock where it showed one."""
    rows = raw_rows(
        pipeline,
        lambda name: (
            f"select max(coalesce(venue_time, started_at)) from {name('walks')} "
            f"where resource = '{MARKETS}' and status = 'completed' and {committed(name)}"
        ),
    )
    return utc(rows[0][0]) if rows and rows[0][0] is not None else None


def note_known(pipeline: dlt.Pipeline, venue: str, scope: Scope, outcome: Outcome) -> None:
    """What the warehouse knows by itself of the prices of a venue: anomalies, and how much it has of each day."""
    outcome.findings += _anomalies(pipeline, venue, scope)
    outcome.coverage += _coverage(pipeline, venue, scope)


def _anomalies(pipeline: dlt.Pipeline, venue: str, scope: Scope) -> Iterator[Finding]:
    bounds = [
        f" and {column} {sign} {timestamp(bound)}"
        for column, sign, bound in (("last_at", ">=", scope.bound_from), ("first_at", "<=", scope.bound_to))
        if bound is not None
    ]
    columns = ("kind", "scope", "price_count", "detail", "first_at", "last_at")
    tail = f"where venue = '{venue}'{''.join(bounds)} order by kind, scope, first_at"
    for kind, what, count, detail, first_at, last_at in needed_rows(pipeline, "price_anomalies", columns, tail):
        yield Finding(
            kind=kind,
            scope=what,
            rows=count,
            detail=detail,
            what_to_do="look at price_snapshots between these moments",
            first_at=first_at,
            last_at=last_at,
            is_missing=kind == "too_few_observations",
        )


def _coverage(pipeline: dlt.Pipeline, venue: str, scope: Scope) -> Iterator[dict[str, Any]]:
    """By day: markets, in how many runs they could be found and were, and prices of the venue's own history."""
    bounds = [
        f" and price_date {sign} date '{bound:%Y-%m-%d}'"
        for sign, bound in ((">=", scope.bound_from), ("<=", scope.bound_to))
        if bound is not None
    ]
    columns = ("price_date", "count(*)", "sum(reads)", "sum(observations)", "sum(history_points)")
    tail = f"where venue = '{venue}'{''.join(bounds)} group by price_date order by price_date"
    names = ("day", "markets", "reads", "observations", "history_points")
    for day, *sums in needed_rows(pipeline, "price_coverage", columns, tail):
        yield dict(zip(names, (day.isoformat(), *map(int, sums)), strict=True))


def _created(payload: str) -> datetime | None:
    try:
        listed = msgspec.json.decode(payload, type=_Listed)
    except msgspec.DecodeError:
        return None
    created = listed.created or listed.created_time
    return None if created is None else utc(created)
