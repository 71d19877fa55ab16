"""How a run ends: done, stopped by a signal, or by a step that failed; and what the terminal and the exit code say."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import dlt
from dlt.pipeline.exceptions import PipelineStepFailed
from rich.console import Console
from rich.markup import escape

from extract.cli.common import DONE, DONE_WITH_FAILURES, STOPPED_EARLY, end
from extract.market_run import MarketRun
from extract.progress import shown
from extract.run import Run
from extract.settings import UsageError


def carry_out(run: Run | MarketRun, errors: Console) -> None:
    """Carries the run out and shows how far it is."""
    with _stopped_by_signal(run.stop), shown(run, errors):
        run.execute()


@contextmanager
def stops_explained(pipeline: dlt.Pipeline, command: str, errors: Console) -> Iterator[None]:
    """Ends the command as stopped early where a step fails or it is interrupted at once. Raises UsageError where a step
    failed for the credentials, rights or place that the settings name."""
    try:
        yield
    except (PipelineStepFailed, KeyboardInterrupt) as error:
        why = "interrupted" if isinstance(error, KeyboardInterrupt) else _reason(pipeline, error)
        _say(
            errors,
            f"[bold red]Stopped early:[/] {escape(why)}. What was loaded stays, what was fetched is kept.",
            command,
        )
        end(STOPPED_EARLY)


def exit_code(run: Run | MarketRun, command: str, errors: Console) -> int:
    """The code of a run that came to an end by itself or by a signal, of which it tells."""
    if run.stop.is_set():
        left = f" {run.tally.wallets_left:,} {run.unit} are left." if run.tally.wallets_left else ""
        _say(errors, f"[bold]Stopped early.[/] What was loaded stays.{left}", command)
        return STOPPED_EARLY
    return DONE_WITH_FAILURES if run.tally.walks_failed else DONE


def _say(errors: Console, what: str, command: str) -> None:
    errors.print(f"{what} To resume: dlt {escape(command)}", soft_wrap=True)


def _reason(pipeline: dlt.Pipeline, error: PipelineStepFailed) -> str:
    if pipeline.destination.destination_name == "bigquery":
        from extract import bigquery

        sentence = bigquery.refusal(error, bigquery.settings())
        if sentence is not None:
            raise UsageError(sentence) from None
    return _first_line(error.exception)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


@contextmanager
def _stopped_by_signal(stop: threading.Event) -> Iterator[None]:
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
