"""`dlt pipeline [VENUE] status`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dlt
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from extract.cli.common import DONE, DONE_WITH_FAILURES, end, mistakes_explained, venue_name
from extract.settings import UsageError
from extract.warehouse import open_pipeline, public_rows

RUN_COLUMNS = (
    "last_sync_time",
    "status",
    "wallets_processed",
    "trades_fetched",
    "markets_fetched",
    "events_fetched",
    "requests",
    "sync_duration_seconds",
)
FAILURE_COLUMNS = ("wallet_address", "error_count", "last_error", "last_synced_at")
LATEST = 5


def execute(args: argparse.Namespace) -> None:
    with mistakes_explained(Console(stderr=True)):
        name = venue_name(args)
        state = _state(open_pipeline(name, create=False), name)
        if args.json:
            print(json.dumps(state, default=_iso))
        else:
            _show(name, state)
        failed = state["failed_wallets"] or any(window["status"] == "failed" for window in state["windows"])
        end(DONE_WITH_FAILURES if failed else DONE)


def _state(pipeline: dlt.Pipeline, venue: str) -> dict[str, Any]:
    """What the public tables say of one venue: `runs`, `wallets` by status, `backfill`, `gaps` by kind, `freshness`,
    `failed_wallets`, `windows` by status."""
    only = f"where venue = '{venue}'"
    runs = _records(
        pipeline, "daily_sync_checkpoint", RUN_COLUMNS, f"{only} order by last_sync_time desc limit {LATEST}"
    )
    wallets = _records(
        pipeline,
        "wallet_sync_metadata",
        (
            "sync_status",
            "count(*) as wallets",
            "min(last_synced_at) as stalest",
            "max(last_synced_at) as freshest",
        ),
        f"{only} group by sync_status order by sync_status",
    )
    failed = _records(
        pipeline,
        "wallet_sync_metadata",
        FAILURE_COLUMNS,
        f"{only} and sync_status = 'failed' order by error_count desc, wallet_address",
    )
    backfill = _records(
        pipeline,
        "backfill_checkpoint",
        (
            "count(*) as wallets",
            "coalesce(sum(case when upload_successful then 1 else 0 end), 0) as whole",
            "coalesce(sum(case when completed and not upload_successful then 1 else 0 end), 0) as tried_in_vain",
            "coalesce(sum(trade_count), 0) as trades",
        ),
        only,
    )
    gaps = _records(
        pipeline,
        "coverage_gaps",
        ("kind", "count(*) as gaps"),
        f"{only} and is_fillable group by kind order by kind",
    )
    freshness = _records(
        pipeline,
        "daily_sync_checkpoint",
        ("max(case when status = 'completed' then last_sync_time end) as last_completed_run",),
        only,
    )
    newest = _records(pipeline, "wallet_sync_metadata", ("max(last_trade_timestamp) as newest_trade",), only)
    windows = _records(
        pipeline,
        "sync_checkpoints",
        (
            "sync_type",
            "status",
            "count(*) as windows",
            "min(window_start) as window_start",
            "max(window_end) as window_end",
            "max(error_message) as error_message",
        ),
        f"where source = '{venue}' group by sync_type, status order by sync_type, status",
    )
    return {
        "venue": venue,
        "runs": runs,
        "wallets": wallets,
        "backfill": {name: int(count) for name, count in backfill[0].items()},
        "gaps": {row["kind"]: row["gaps"] for row in gaps},
        "freshness": freshness[0] | newest[0],
        "failed_wallets": failed,
        "windows": windows,
    }


def _records(pipeline: dlt.Pipeline, table: str, columns: Sequence[str], tail: str) -> list[dict[str, Any]]:
    rows = public_rows(pipeline, table, tuple(columns), tail)
    if rows is None:
        raise UsageError(f"there is no table {table} yet: run `dlt pipeline run`, then `dbt build`")
    names = [column.split(" as ")[-1] for column in columns]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _show(venue: str, state: dict[str, Any]) -> None:
    out = Console(highlight=False)
    if not state["runs"]:
        out.print(f"{venue}: no run yet. Start with: dlt pipeline {venue} run")
        return
    out.print(_table(f"{venue}: last runs", state["runs"]))
    for title in ("wallets", "windows"):
        if state[title]:
            out.print(_table(title, state[title]))
    if not state["wallets"]:
        # What follows is about wallets, and the venue hides them.
        return
    out.print(f"backfill   {_backfill(state['backfill'])}")
    gaps = ", ".join(f"{count:,} {kind}" for kind, count in state["gaps"].items())
    out.print(f"gaps       {gaps or 'none known'}")
    fresh = state["freshness"]
    out.print(
        f"freshness  newest trade {_cell(fresh['newest_trade'])}, "
        f"last run without a failure {_cell(fresh['last_completed_run'])} UTC"
    )
    for failure in state["failed_wallets"][:LATEST]:
        out.print(f"[red]failed[/]     {failure['wallet_address']} ({failure['error_count']}x)")
        # One line each, as far as the terminal goes; --json has it whole.
        out.print(f"  {escape(str(failure['last_error']))}", no_wrap=True, overflow="ellipsis")
    if len(state["failed_wallets"]) > LATEST:
        out.print(f"… and {len(state['failed_wallets']) - LATEST} more: --json names all")


def _backfill(state: dict[str, int]) -> str:
    share = state["whole"] / state["wallets"] if state["wallets"] else 0
    vain = f", {state['tried_in_vain']:,} tried in vain" if state["tried_in_vain"] else ""
    return f"{state['whole']:,} of {state['wallets']:,} wallets whole ({share:.0%}){vain}, {state['trades']:,} trades"


def _table(title: str, records: list[dict[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name, value in records[0].items() if records else ():
        heading = name.removeprefix("last_").removesuffix("_processed").removesuffix("_fetched").replace("_", " ")
        table.add_column(heading, justify="right" if isinstance(value, int | float) else "left")
    for record in records:
        table.add_row(*(_cell(value) for value in record.values()))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, int):
        return f"{value:,}"
    return "–" if value is None else escape(str(value))


def _iso(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
