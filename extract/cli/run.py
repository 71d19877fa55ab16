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
    moment,
    venue,
    venue_name,
)
from extract.cli.summary import summarise
from extract.due import due
from extract.progress import shown
from extract.run import Due, Options, Run, Shard
from extract.settings import UsageError
from extract.sinks import DltSink, DrySink
from extract.venue import ADDRESS, CONDITION, Venue
from extract.wallet_sources import WalletSources, wallet_sources
from extract.warehouse import only_run, open_pipeline


def execute(args: argparse.Namespace) -> None:
    errors = Console(stderr=True)
    with mistakes_explained(errors):
        name = venue_name(args)
        options = _options(args)
        readings = venue(name)
        if args.workers is not None:
            readings.settings.workers = args.workers
        part = "" if options.shard is None else f"shard-{options.shard.number}-of-{options.shard.of}"
        try:
            pipeline = open_pipeline(name, create=not args.dry_run, part=part)
            with only_run(pipeline):
                end(_run(readings, pipeline, options, args.dry_run, errors))
        finally:
            readings.close()


def _run(readings: Venue, pipeline: dlt.Pipeline, options: Options, is_dry: bool, errors: Console) -> int:
    workers = readings.settings.workers
    loading = DltSink(pipeline, workers)
    sources = wallet_sources(pipeline, readings.settings.wallets_table)
    run = Run(readings, options, Due(), DrySink(workers) if is_dry else loading, sources.readings)
    try:
        if not is_dry:
            loading.prepare()
        run.due = due(pipeline, readings, options)
        with stopped_by_signal(run.stop), shown(run, errors):
            run.execute()
    except (PipelineStepFailed, KeyboardInterrupt) as error:
        why = "interrupted" if isinstance(error, KeyboardInterrupt) else reason(pipeline, error)
        errors.print(
            f"[bold red]Stopped early:[/] {escape(why)}. What was loaded stays, what was fetched is kept. "
            f"To resume: dlt {escape(options.command)}",
            soft_wrap=True,
        )
        return STOPPED_EARLY
    finally:
        sources.close()
    _summarise(run, pipeline, is_dry, sources)
    if run.stop.is_set():
        left = f" {run.tally.wallets_left:,} wallets are left." if run.tally.wallets_left else ""
        errors.print(
            f"[bold]Stopped early.[/] What was loaded stays.{left} To resume: dlt {escape(options.command)}",
            soft_wrap=True,
        )
        return STOPPED_EARLY
    return DONE_WITH_FAILURES if run.tally.walks_failed else DONE


# -- what is asked for


def _options(args: argparse.Namespace) -> Options:
    for name in ("top", "max_wallets", "workers"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be at least 1")
    return Options(
        command=shlex.join(sys.argv[1:]),
        wallets=_names("--wallets", args.wallets, ADDRESS, "wallet address (0x and 40 hexadecimal digits)"),
        markets=_names("--markets", args.markets, CONDITION, "condition id (0x and 64 hexadecimal digits)"),
        top=args.top,
        max_wallets=args.max_wallets,
        since=moment("--since", args.since) if args.since else None,
        full=args.full,
        backfill=args.backfill,
        retry_failed=args.retry_failed,
        active_only=args.active_only,
        all_wallets=args.all,
        shard=_shard(args.shard) if args.shard is not None else None,
    )


def _names(option: str, text: str | None, form: re.Pattern[str], what: str) -> tuple[str, ...]:
    """Ids of `A,B` or of a file with one per line (blank lines, # comments and what follows a comma aside), lower case,
    each once. A file's first line may be a heading."""
    if text is None:
        return ()
    source = option
    path = Path(text)
    if not text.startswith("0x") and path.is_file():
        source = text
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        names = [line.split("#")[0].split(",")[0].strip().strip('"') for line in lines]
        if names and not names[0].startswith("0x") and any(name.startswith("0x") for name in names):
            del names[0]
    else:
        names = [name.strip() for name in text.split(",")]
    names = [name for name in names if name]
    for name in names:
        if not form.fullmatch(name):
            raise UsageError(f"{source}: {name!r} is neither a {what} nor a file")
    if not names:
        raise UsageError(f"{source} names no {what.split()[0]}")
    return tuple(dict.fromkeys(name.lower() for name in names))


def _shard(text: str) -> Shard:
    match = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
    if match is None or int(match[1]) > int(match[2]):
        raise UsageError(f"--shard: {text!r} is no I/N, such as 1/4 for the first of four parts")
    return Shard(int(match[1]), int(match[2]))


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


def _summarise(run: Run, pipeline: dlt.Pipeline, is_dry: bool, sources: WalletSources) -> None:
    tally = run.tally
    failed = f", {len(tally.failed_wallets):,} failed" if tally.failed_wallets else ""
    left = f", {tally.wallets_left:,} left" if tally.wallets_left else ""
    lines = [f"note      {note}" for note in [*(sources.notes if run.has_discovered else ()), *tally.notes]]
    if tally.unlisted_markets:
        lines.append(
            f"markets   {tally.unlisted_markets:,} not returned by the venue; their trades stay, as Uncategorized"
        )
    summarise(
        run,
        pipeline,
        is_dry=is_dry,
        progress=f"wallets   {tally.wallets_done:,} of {tally.wallets_total:,} done{failed}{left}",
        requests=run.venue.requests_made + sources.requests_made,
        lines=lines,
    )
