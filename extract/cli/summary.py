"""What a run says at its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import dlt
from rich.console import Console
from rich.markup import escape

from extract.market_run import MarketRun
from extract.run import Run

FAILURES_SHOWN = 10


def summarise(
    run: Run | MarketRun,
    pipeline: dlt.Pipeline,
    *,
    is_dry: bool,
    progress: str | None,
    requests: int,
    lines: Sequence[str] = (),
) -> None:
    """Prints what was fetched, how far it got, `lines` of its own, what failed, and what comes next."""
    out = Console(highlight=False)
    tally = run.tally
    seconds = (datetime.now(UTC) - run.started_at).total_seconds()
    what = "would be fetched" if is_dry else "fetched"
    rows = ", ".join(f"{count:,} {table}" for table, count in sorted(tally.rows.items())) or "nothing"
    out.print(f"[bold]{run.venue.name}[/]: {rows} {what}", soft_wrap=True)
    if progress is not None:
        out.print(f"  {progress}")
    out.print(f"  requests  {requests:,} in {seconds:.1f} s ({requests / max(seconds, 0.001):.1f}/s)")
    for line in lines:
        out.print(f"  {escape(line)}", soft_wrap=True)
    for error, walks in list(tally.failures.items())[:FAILURES_SHOWN]:
        others = f" and {len(walks) - 1:,} more" if len(walks) > 1 else ""
        out.print(f"  [red]failed[/]    {escape(walks[0])}{others}: {escape(error)}", soft_wrap=True)
    if len(tally.failures) > FAILURES_SHOWN:
        out.print(f"  … and {len(tally.failures) - FAILURES_SHOWN:,} other reasons")
    if is_dry:
        out.print(f"  Nothing was loaded. A run makes the same {requests:,} requests.")
    else:
        out.print(f"  loaded    {pipeline.dataset_name}; next: dbt build")
