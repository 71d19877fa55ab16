"""What a run shows while it works: bars on a terminal, a line every few seconds elsewhere. All of it on stderr."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from extract.market_run import MarketRun
from extract.run import Run

LINE_EVERY_SECONDS = 10.0
BAR_EVERY_SECONDS = 0.2


@contextmanager
def shown(run: Run | MarketRun, console: Console) -> Iterator[None]:
    """Shows the run's tally until the block ends."""
    ended = threading.Event()
    show = _show_bar if console.is_terminal else _show_lines
    shower = threading.Thread(target=show, args=(run, console, ended), name="progress", daemon=True)
    shower.start()
    try:
        yield
    finally:
        ended.set()
        shower.join()


def _show_bar(run: Run | MarketRun, console: Console, ended: threading.Event) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}, {task.fields[counts]}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("", total=None, counts="", unit=run.unit)
        while not ended.wait(BAR_EVERY_SECONDS):
            done, total = _wallets(run)
            bars.update(task, description=run.tally.phase, completed=done, total=total, counts=_counts(run))


def _show_lines(run: Run | MarketRun, console: Console, ended: threading.Event) -> None:
    while not ended.wait(LINE_EVERY_SECONDS):
        done, total = _wallets(run)
        left = f", about {_elapsed(run) / done * (total - done):.0f} s left" if done and total else ""
        console.print(f"{run.tally.phase}: {done}/{total or '?'} {run.unit}, {_counts(run)}{left}")


def _wallets(run: Run | MarketRun) -> tuple[int, int | None]:
    tally = run.tally
    return tally.wallets_done + len(tally.failed_wallets), tally.wallets_total or None


def _counts(run: Run | MarketRun) -> str:
    rows = sum(run.tally.rows.values())
    pace = run.venue.requests_made / max(_elapsed(run), 0.001)
    failed, left = len(run.tally.failed_wallets), run.tally.wallets_left
    return f"{failed:,} failed, {left:,} left, {rows:,} rows, {pace:.1f} requests/s"


def _elapsed(run: Run | MarketRun) -> float:
    return (datetime.now(UTC) - run.started_at).total_seconds()
