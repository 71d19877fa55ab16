"""`dlt pipeline [VENUE] verify`."""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import dlt
from rich.console import Console
from rich.markup import escape

from extract.cli.common import DONE, DONE_WITH_FAILURES, end, mistakes_explained, moment, price_venue, venue, venue_name
from extract.cli.plugin import PRICE_VENUES
from extract.price_venue import PriceVenue
from extract.settings import UsageError
from extract.venue import Venue
from extract.verify import Check, Finding, MarketsCheck, Outcome, Scope, WalletsCheck, needed_rows
from extract.verify_prices import PricesCheck, note_known
from extract.warehouse import open_pipeline, public_rows

#: Wallets that are asked for again where no range is given.
SAMPLE = 50
SHOWN = 40


def _of_wallets(readings: Venue, pipeline: dlt.Pipeline) -> Sequence[Check]:
    wallets = WalletsCheck(readings, pipeline)
    return (wallets, MarketsCheck(readings, pipeline, wallets))


def _of_prices(readings: PriceVenue, pipeline: dlt.Pipeline) -> Sequence[Check]:
    return (PricesCheck(readings, pipeline),)


#: Per venue, what is asked again, in this order.
CHECKS: dict[str, Callable[[Any, dlt.Pipeline], Sequence[Check]]] = {
    "polymarket": _of_wallets,
    "dome": _of_wallets,
    **dict.fromkeys(PRICE_VENUES, _of_prices),
}


def execute(args: argparse.Namespace) -> None:
    errors = Console(stderr=True)
    with mistakes_explained(errors):
        name = venue_name(args)
        scope = _scope(args)
        pipeline = open_pipeline(name, create=False)
        outcome = Outcome()
        if args.checkpoints:
            _read_checkpoints(pipeline, name, outcome)
        if args.gaps_only:
            _read_gaps(pipeline, name, outcome)
            if name in PRICE_VENUES:
                note_known(pipeline, name, scope, outcome)
        else:
            _ask(pipeline, name, scope, outcome, errors)
        if args.json:
            print(json.dumps(_document(name, scope, outcome), default=_iso))
        else:
            _show(name, outcome)
        end(DONE_WITH_FAILURES if outcome.findings or outcome.unanswered else DONE)


def _scope(args: argparse.Namespace) -> Scope:
    bound_from = moment("--from", args.bound_from) if args.bound_from else None
    bound_to = moment("--to", args.bound_to) if args.bound_to else None
    if args.last_week:
        if bound_from or bound_to:
            raise UsageError("--last-week is a range by itself: give it, or --from and --to")
        bound_from = datetime.now(UTC) - timedelta(days=7)
    if bound_from and bound_to and bound_from >= bound_to:
        raise UsageError("--from must be before --to")
    if args.sample is not None and args.sample < 1:
        raise UsageError("--sample must be at least 1")
    is_range = bound_from is not None or bound_to is not None
    return Scope(
        bound_from=bound_from,
        bound_to=bound_to,
        wallets=_wallets(args.wallets) if args.wallets is not None else (),
        sample=args.sample if args.sample is not None or is_range else SAMPLE,
        # Others every day, and the same ones for everybody who asks on that day.
        salt=f"{datetime.now(UTC):%Y-%m-%d}",
    )


def _wallets(text: str) -> tuple[str, ...]:
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    wrong = [name for name in names if not re.fullmatch("0x[0-9a-f]{40}", name)]
    if wrong or not names:
        raise UsageError(f"--wallets: {(wrong or [text])[0]!r} is no wallet address (0x and 40 hexadecimal digits)")
    return tuple(dict.fromkeys(names))


# -- asking the venue --------------------------------------------------------------------------------------------------


def _ask(pipeline: dlt.Pipeline, name: str, scope: Scope, outcome: Outcome, errors: Console) -> None:
    if name not in CHECKS:
        raise UsageError(f"{name} cannot be asked again yet; --gaps-only says what the warehouse itself knows")
    readings = price_venue(name) if name in PRICE_VENUES else venue(name)
    try:
        for check in CHECKS[name](readings, pipeline):
            check.run(scope, outcome)
            if errors.is_terminal:
                errors.print(f"asked again for {_asked(outcome)}", style="dim")
        outcome.asked["requests"] = readings.requests_made
    finally:
        readings.close()


# -- what the warehouse knows by itself --------------------------------------------------------------------------------


def _read_gaps(pipeline: dlt.Pipeline, name: str, outcome: Outcome) -> None:
    columns = ("kind", "scope", "resource", "detail", "what_to_do", "gap_from", "gap_to")
    tail = f"where venue = '{name}' and is_fillable order by kind, scope, resource, gap_from"
    for kind, scope, resource, detail, what_to_do, gap_from, gap_to in needed_rows(
        pipeline, "coverage_gaps", columns, tail
    ):
        outcome.findings.append(Finding(kind, scope, 1, f"{resource}: {detail}", what_to_do, gap_from, gap_to))


def _read_checkpoints(pipeline: dlt.Pipeline, name: str, outcome: Outcome) -> None:
    failed = needed_rows(
        pipeline,
        "wallet_sync_metadata",
        ("wallet_address", "error_count", "last_error", "updated_at"),
        f"where venue = '{name}' and sync_status = 'failed' order by wallet_address",
    )
    for wallet, count, error, updated_at in failed:
        command = f"dlt pipeline {name} run --wallets {wallet}"
        outcome.findings.append(Finding("failed_wallet", wallet, count, error or "", command, updated_at, updated_at))
    windows = public_rows(
        pipeline,
        "sync_checkpoints",
        ("sync_type", "window_start", "window_end", "status", "error_message"),
        f"where source = '{name}' and status != 'completed' order by sync_type, window_start",
    )
    # Only what is read window by window has any.
    for sync_type, start, stop, status, error in windows or ():
        command = f"dlt pipeline {name} run --from {start:%Y-%m-%dT%H:%M:%SZ} --to {stop:%Y-%m-%dT%H:%M:%SZ}"
        outcome.findings.append(Finding(f"{status}_window", sync_type, 1, error or "", command, start, stop))


# -- telling -----------------------------------------------------------------------------------------------------------


def _document(name: str, scope: Scope, outcome: Outcome) -> dict[str, Any]:
    return {
        "venue": name,
        "from": scope.bound_from,
        "to": scope.bound_to,
        "asked": outcome.asked,
        "findings": [asdict(finding) for finding in outcome.findings],
        "unanswered": outcome.unanswered,
        "coverage": outcome.coverage,
        "clean": not outcome.findings and not outcome.unanswered,
    }


def _show(name: str, outcome: Outcome) -> None:
    out = Console(highlight=False)
    if outcome.asked:
        out.print(f"[bold]{name}[/]: asked again for {_asked(outcome)}")
    for finding in outcome.findings[:SHOWN]:
        colour = "red" if finding.is_missing else "yellow"
        out.print(f"[{colour}]{escape(finding.kind)}[/] {escape(finding.scope)}{_between(finding)}", soft_wrap=True)
        out.print(f"  {escape(finding.detail)}", soft_wrap=True)
        out.print(f"  {escape(finding.what_to_do)}", soft_wrap=True)
    if len(outcome.findings) > SHOWN:
        out.print(f"… and {len(outcome.findings) - SHOWN:,} more: --json names all")
    for scope, reason in list(outcome.unanswered.items())[:SHOWN]:
        out.print(f"[red]unanswered[/] {escape(scope)}: {escape(reason)}", soft_wrap=True)
    kinds = Counter(finding.kind for finding in outcome.findings)
    if kinds:
        out.print(f"[bold red]Found[/] {', '.join(f'{count:,} {kind}' for kind, count in kinds.most_common())}")
    elif not outcome.unanswered:
        out.print("[bold green]Nothing is missing.[/]")


def _asked(outcome: Outcome) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in outcome.asked.items())


def _between(finding: Finding) -> str:
    if finding.first_at is None and finding.last_at is None:
        return ""
    first = f"{finding.first_at:%Y-%m-%d %H:%M}" if finding.first_at else "the beginning"
    last = f"{finding.last_at:%Y-%m-%d %H:%M}" if finding.last_at else "now"
    return f", {first}" if first == last else f", {first} – {last}"


def _iso(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
