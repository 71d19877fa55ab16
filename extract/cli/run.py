"""`dlt pipeline [VENUE] run`."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path

import dlt
from rich.console import Console

from extract.cli.common import end, mistakes_explained, moment, venue, venue_name
from extract.cli.ending import carry_out, exit_code, stops_explained
from extract.cli.summary import summarise
from extract.due import due
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
        with stops_explained(pipeline, options.command, errors):
            if not is_dry:
                loading.prepare()
            run.due = due(pipeline, readings, options)
            carry_out(run, errors)
    finally:
        sources.close()
    _summarise(run, pipeline, is_dry, sources)
    return exit_code(run, options.command, errors)


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
