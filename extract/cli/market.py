"""`dlt pipeline VENUE run` for the venues that are read for their prices, and for ranges of price history."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import dlt
from rich.console import Console

from extract.cli.common import end, mistakes_explained, moment, price_venue, venue_name
from extract.cli.ending import carry_out, exit_code, stops_explained
from extract.cli.summary import summarise
from extract.market_run import MarketRun, Range, Stretches
from extract.polymarket.prices import DueToken, PolymarketPrices
from extract.price_venue import PriceVenue, Window
from extract.settings import UsageError
from extract.sinks import DltSink, DrySink
from extract.warehouse import Stretch, completed_walks, only_run, open_pipeline, planned_windows, public_rows, utc

LENGTH = re.compile(r"([1-9][0-9]*)(d|h|m)")
UNITS = {"d": "days", "h": "hours", "m": "minutes"}

#: Options of `run` that are about wallets.
OF_WALLETS = ("wallets", "top", "max_wallets", "full", "backfill", "retry_failed", "all", "shard", "active_only")


def execute(args: argparse.Namespace) -> None:
    errors = Console(stderr=True)
    with mistakes_explained(errors):
        name = venue_name(args)
        asked = _range(args, name)
        venue = price_venue(name)
        try:
            pipeline = open_pipeline(name, create=not args.dry_run)
            if isinstance(venue, PolymarketPrices):
                venue.due = _due_tokens(pipeline)
            with only_run(pipeline):
                end(_run(venue, pipeline, asked, args, errors))
        finally:
            venue.close()


def _run(venue: PriceVenue, pipeline: dlt.Pipeline, asked: Range, args: argparse.Namespace, errors: Console) -> int:
    workers = args.workers or venue.settings.workers
    loading = DltSink(pipeline, workers)
    sink = DrySink(workers) if args.dry_run else loading
    with stops_explained(pipeline, asked.command, errors):
        if not args.dry_run:
            loading.prepare()
        completed, planned = _by_history(completed_walks(pipeline)), _by_history(planned_windows(pipeline))
        run = MarketRun(venue, asked, completed, planned, sink, workers, _due(pipeline, venue.name))
        carry_out(run, errors)
    _summarise(run, pipeline, args.dry_run)
    return exit_code(run, asked.command, errors)


def _by_history(stretches: Iterable[Stretch]) -> Stretches:
    windows: dict[tuple[str, str], list[Window]] = {}
    for resource, scope, bound_from, bound_to in stretches:
        windows.setdefault((resource, scope), []).append(Window(bound_from, bound_to))
    return windows


def _due(pipeline: dlt.Pipeline, venue: str) -> tuple[str, ...]:
    """The venue's own names of markets without a known outcome; none before the first build."""
    tail = f"where venue = '{venue}' order by sync_order"
    rows = public_rows(pipeline, "outcomes_needing_sync", ("market_name",), tail)
    return tuple(name for (name,) in rows or ())


def _due_tokens(pipeline: dlt.Pipeline) -> tuple[DueToken, ...]:
    """The outcomes whose price history a range reads. Raises UsageError before the first build: none is known then."""
    rows = public_rows(
        pipeline,
        "prices_needing_sync",
        ("contract_id", "open_from", "open_until"),
        "where venue = 'polymarket' order by sync_order",
    )
    if rows is None:
        raise UsageError("no market is known yet whose prices could be read: run without a range, then `dbt build`")
    return tuple(DueToken(token, start and utc(start), stop and utc(stop)) for token, start, stop in rows)


def _range(args: argparse.Namespace, venue: str) -> Range:
    for option in OF_WALLETS:
        if getattr(args, option):
            flag = "--" + option.replace("_", "-")
            raise UsageError(f"{flag} chooses wallets, and this run of {venue} reads markets and prices")
    if args.workers is not None and args.workers < 1:
        raise UsageError("--workers must be at least 1")
    if args.since and args.from_:
        raise UsageError("--since and --from both say where to begin: give one")
    start = moment("--from", args.from_) if args.from_ else moment("--since", args.since) if args.since else None
    stop = moment("--to", args.to) if args.to else None
    if stop is not None and start is None:
        raise UsageError("--to ends a range: say with --from where it begins")
    if start is not None and start >= (stop or datetime.now(UTC)):
        raise UsageError(f"--from {start:%Y-%m-%dT%H:%M:%SZ} is not before the end of the range")
    return Range(shlex.join(sys.argv[1:]), start, stop, _length(args.window))


def _length(text: str) -> timedelta:
    match = LENGTH.fullmatch(text)
    if match is None:
        raise UsageError(f"--window: {text!r} is no length such as 7d, 12h or 30m")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def _summarise(run: MarketRun, pipeline: dlt.Pipeline, is_dry: bool) -> None:
    before = f", {run.windows_skipped:,} completed before" if run.windows_skipped else ""
    windows = f"windows   {run.tally.wallets_done:,} of {run.tally.wallets_total:,} done{before}"
    summarise(
        run,
        pipeline,
        is_dry=is_dry,
        progress=windows if run.venue.histories else None,
        requests=run.venue.requests_made,
    )
