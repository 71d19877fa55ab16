"""`dlt pipeline [VENUE] run`."""

from __future__ import annotations

import argparse
import re
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import dlt
from dlt.pipeline.exceptions import PipelineStepFailed
from rich.console import Console
from rich.markup import escape

from extract.cli.common import (
    DONE,
    DONE_WITH_FAILURES,
    STOPPED_EARLY,
    end,
    mistakes_explained,
    venue,
    venue_name,
)
from extract.progress import shown
from extract.run import DltSink, DrySink, Due, DueWallet, Options, Run
from extract.settings import UsageError
from extract.venue import Venue
from extract.warehouse import only_run, open_pipeline, public_rows

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
FAILURES_SHOWN = 10


def execute(args: argparse.Namespace) -> None:
    errors = Console(stderr=True)
    with mistakes_explained(errors):
        name = venue_name(args)
        options = _options(args)
        readings = venue(name)
        try:
            pipeline = open_pipeline(name, create=not args.dry_run)
            with only_run(pipeline):
                end(_run(readings, pipeline, options, args.dry_run, errors))
        finally:
            readings.close()


def _run(readings: Venue, pipeline: dlt.Pipeline, options: Options, is_dry: bool, errors: Console) -> int:
    workers = readings.settings.workers
    loading = DltSink(pipeline, workers)
    run = Run(readings, options, Due(), DrySink(workers) if is_dry else loading)
    try:
        if not is_dry:
            loading.prepare()
        run.due = _due(pipeline, readings)
        with stopped_by_signal(run.stop), shown(run, errors):
            run.execute()
    except (PipelineStepFailed, KeyboardInterrupt) as error:
        why = "interrupted" if isinstance(error, KeyboardInterrupt) else reason(pipeline, error)
        errors.print(
            f"[bold red]Stopped early:[/] {escape(why)}. What was loaded stays, what was fetched is kept; "
            "the same command resumes.",
            soft_wrap=True,
        )
        return STOPPED_EARLY
    _summarise(run, pipeline, is_dry)
    if run.stop.is_set():
        errors.print("[bold]Stopped early.[/] What was loaded stays; the same command resumes.")
        return STOPPED_EARLY
    return DONE_WITH_FAILURES if run.tally.walks_failed else DONE


# -- what is asked for


def _options(args: argparse.Namespace) -> Options:
    for name in ("top", "max_wallets"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be at least 1")
    return Options(
        command=shlex.join(sys.argv[1:]),
        wallets=_wallets(args.wallets) if args.wallets is not None else (),
        top=args.top,
        max_wallets=args.max_wallets,
        since=moment("--since", args.since) if args.since else None,
        full=args.full,
    )


def _wallets(text: str) -> tuple[str, ...]:
    """Addresses of `A,B` or of a file with one per line (blank lines and # comments aside), lower case, each once."""
    source = "--wallets"
    path = Path(text)
    if not text.startswith("0x") and path.is_file():
        source = text
        lines = path.read_text(encoding="utf-8").splitlines()
        names = [line.split("#")[0].strip() for line in lines]
    else:
        names = [name.strip() for name in text.split(",")]
    names = [name for name in names if name]
    for name in names:
        if not ADDRESS.fullmatch(name):
            raise UsageError(
                f"{source}: {name!r} is neither a wallet address (0x and 40 hexadecimal digits) nor a file"
            )
    if not names:
        raise UsageError(f"{source} names no wallet")
    return tuple(dict.fromkeys(name.lower() for name in names))


def moment(option: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option}: {text!r} is no ISO date or time, such as 2026-03-01 or 2026-03-01T12:30:00Z"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


# -- what is due


def _due(pipeline: dlt.Pipeline, readings: Venue) -> Due:
    """The lists that dbt computes; empty before its first build."""
    tables = readings.wallet_tables
    columns = ("trades_watermark_at", "trades_newest_at", "activity_watermark_at", "activity_newest_at")
    wallets = public_rows(
        pipeline,
        "wallets_needing_sync",
        ("wallet_address", *columns),
        f"where venue = '{readings.name}' order by sync_order",
    )
    markets = public_rows(
        pipeline,
        "markets_needing_sync",
        ("condition_id",),
        f"where venue = '{readings.name}' order by sync_order",
    )
    return Due(
        wallets=tuple(
            DueWallet(wallet, {tables[0]: (_utc(first), _utc(second)), tables[1]: (_utc(third), _utc(fourth))})
            for wallet, first, second, third, fourth in wallets or ()
        ),
        condition_ids=tuple(row[0] for row in markets or ()),
        accounts=_named(pipeline, readings, "positions_needing_sync", "wallet_address"),
        settlements=_named(pipeline, readings, "resolutions_needing_sync", "condition_id"),
    )


def _named(pipeline: dlt.Pipeline, readings: Venue, table: str, column: str) -> tuple[str, ...]:
    """A list of ids, most urgent first."""
    rows = public_rows(pipeline, table, (column,), f"where venue = '{readings.name}' order by sync_order")
    return tuple(row[0] for row in rows or ())


def reason(pipeline: dlt.Pipeline, error: PipelineStepFailed) -> str:
    """Why a step failed. Raises UsageError where that is the credentials, rights or place that the settings name."""
    if pipeline.destination.destination_name == "bigquery":
        from extract import bigquery

        sentence = bigquery.refusal(error, bigquery.settings())
        if sentence is not None:
            raise UsageError(sentence) from None
    return _first_line(error.exception)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _utc(moment: datetime | None) -> datetime | None:
    """DuckDB's timestamps come without a zone, BigQuery's with one; both are UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


@contextmanager
def stopped_by_signal(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) ends the run after the pages under way; the second ends it at once."""

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# -- what was done


def _summarise(run: Run, pipeline: dlt.Pipeline, is_dry: bool) -> None:
    out = Console(highlight=False)
    tally = run.tally
    seconds = (datetime.now(UTC) - run.started_at).total_seconds()
    requests = run.venue.requests_made
    what = "would be fetched" if is_dry else "fetched"
    rows = ", ".join(f"{count:,} {table}" for table, count in sorted(tally.rows.items())) or "nothing"
    out.print(f"[bold]{run.venue.name}[/]: {rows} {what}", soft_wrap=True)
    failed = f", {len(tally.failed_wallets):,} failed" if tally.failed_wallets else ""
    out.print(f"  wallets   {tally.wallets_done:,} of {tally.wallets_total:,} done{failed}")
    out.print(f"  requests  {requests:,} in {seconds:.1f} s ({requests / max(seconds, 0.001):.1f}/s)")
    if tally.unlisted_markets:
        out.print(
            f"  markets   {tally.unlisted_markets:,} not returned by the venue; their trades stay, as Uncategorized"
        )
    for error, walks in list(tally.failures.items())[:FAILURES_SHOWN]:
        others = f" and {len(walks) - 1:,} more" if len(walks) > 1 else ""
        out.print(f"  [red]failed[/]    {escape(walks[0])}{others}: {escape(error)}", soft_wrap=True)
    if len(tally.failures) > FAILURES_SHOWN:
        out.print(f"  … and {len(tally.failures) - FAILURES_SHOWN:,} other reasons")
    if is_dry:
        out.print(f"  Nothing was loaded. A run makes the same {requests:,} requests.")
    else:
        out.print(f"  loaded    {pipeline.dataset_name}; next: dbt build")
