"""What is due, as the warehouse says it: by dbt's lists, or before its first build by the records of walks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import dlt

from extract.run import Due, DueWallet, Options, feed_scope
from extract.venue import Venue
from extract.warehouse import Naming, committed, public_rows, raw_rows, utc

Coverage = tuple[datetime | None, datetime | None]


def due(pipeline: dlt.Pipeline, venue: Venue, options: Options) -> Due:
    """What this run may fetch, most urgent first."""
    listed = _markets(pipeline, venue)
    markets = listed or {}
    return Due(
        wallets=_wallets(pipeline, venue),
        condition_ids=tuple(markets),
        markets_due_at={condition: due_at for condition, due_at in markets.items() if due_at is not None},
        accounts=_named(pipeline, venue, "positions_needing_sync", "wallet_address"),
        settlements=_named(pipeline, venue, "resolutions_needing_sync", "condition_id"),
        market_watermarks=_market_watermarks(pipeline, options.markets) if options.markets else {},
        # Once there is a list, it begins with them; a backfill reads no lists.
        named=_never_looked_up(pipeline, venue) if options.backfill or listed is None else (),
        feed_watermark=_feed_watermark(pipeline, options),
    )


def _wallets(pipeline: dlt.Pipeline, venue: Venue) -> tuple[DueWallet, ...]:
    tables = venue.wallet_tables
    rows = public_rows(
        pipeline,
        "wallets_needing_sync",
        (
            "wallet_address",
            "trades_watermark_at",
            "trades_newest_at",
            "activity_watermark_at",
            "activity_newest_at",
            "due_at",
            "sync_status",
            "is_active",
        ),
        f"where venue = '{venue.name}' order by sync_order",
    )
    if rows is None:
        return _walked_wallets(pipeline, venue)
    return tuple(
        DueWallet(
            wallet,
            {tables[0]: (_moment(first), _moment(second)), tables[1]: (_moment(third), _moment(fourth))},
            due_at=_moment(due_at),
            is_failed=status == "failed",
            is_active=bool(is_active),
        )
        for wallet, first, second, third, fourth, due_at, status, is_active in rows
    )


def _walked_wallets(pipeline: dlt.Pipeline, venue: Venue) -> tuple[DueWallet, ...]:
    """Before the first build: wallets by their walks in committed loads."""
    resources = ", ".join(f"'{table}'" for table in venue.wallet_tables)
    rows = raw_rows(
        pipeline,
        _over_walks(
            "scope, resource, "
            "max(case when status = 'completed' and bound_from is null then venue_time end), "
            "max(case when status = 'completed' and bound_from is null then newest_item_at end), "
            "max(case when status = 'completed' then ended_at end), "
            "max(case when status = 'failed' then ended_at end)",
            f"resource in ({resources}) group by scope, resource",
        ),
    )
    coverage: dict[str, dict[str, Coverage]] = {}
    failed: set[str] = set()
    for wallet, resource, watermark, newest, completed_at, failed_at in rows or ():
        tables = coverage.setdefault(wallet, dict.fromkeys(venue.wallet_tables, (None, None)))
        tables[resource] = (_moment(watermark), _moment(newest))
        if failed_at is not None and (completed_at is None or failed_at > completed_at):
            failed.add(wallet)
    return tuple(DueWallet(wallet, tables, is_failed=wallet in failed) for wallet, tables in coverage.items())


def _markets(pipeline: dlt.Pipeline, venue: Venue) -> dict[str, datetime | None] | None:
    """Markets by urgency, each with the moment it is due from; None before the first build."""
    rows = public_rows(
        pipeline,
        "markets_needing_sync",
        ("condition_id", "due_at"),
        f"where venue = '{venue.name}' order by sync_order",
    )
    return None if rows is None else {condition: _moment(due_at) for condition, due_at in rows}


def _named(pipeline: dlt.Pipeline, venue: Venue, table: str, column: str) -> tuple[str, ...]:
    """A list of ids, most urgent first."""
    rows = public_rows(pipeline, table, (column,), f"where venue = '{venue.name}' order by sync_order")
    return tuple(row[0] for row in rows or ())


def _market_watermarks(pipeline: dlt.Pipeline, markets: Sequence[str]) -> Mapping[str, Coverage]:
    """Up to when the trades of followed markets are known. Each walk goes on from the last, so the newest counts."""
    conditions = ", ".join(f"'{condition}'" for condition in markets)
    rows = raw_rows(
        pipeline,
        _over_walks(
            "scope, max(venue_time), max(newest_item_at)",
            f"resource = 'market_trades' and status = 'completed' and scope in ({conditions}) group by scope",
        ),
    )
    return {scope: (_moment(watermark), _moment(newest)) for scope, watermark, newest in rows or ()}


def _feed_watermark(pipeline: dlt.Pipeline, options: Options) -> datetime | None:
    scope = feed_scope(options.shard)
    rows = raw_rows(
        pipeline,
        _over_walks("max(venue_time)", f"resource = 'feed' and status = 'completed' and scope = '{scope}'"),
    )
    return _moment(rows[0][0]) if rows else None


def _never_looked_up(pipeline: dlt.Pipeline, venue: Venue) -> tuple[str, ...]:
    """Markets that loaded rows name and that nobody has asked for: a run that was stopped did not get that far."""
    named: dict[str, None] = {}
    for table in venue.wallet_tables:
        rows = raw_rows(pipeline, _named_by(table, "where condition_id is not null"))
        if rows is None:
            # No market was ever loaded.
            rows = raw_rows(pipeline, _named_by(table, None)) or []
        named.update((row[0], None) for row in rows)
    return tuple(named)


def _named_by(table: str, known: str | None) -> Callable[[Naming], str]:
    """Markets that a table's committed rows name, without those that are `known` in the table of markets."""

    def write(name: Naming) -> str:
        without = (
            "" if known is None else f" and condition_id not in (select condition_id from {name('markets')} {known})"
        )
        return (
            f"select distinct condition_id from {name(table)} where condition_id != ''{without} and {committed(name)}"
        )

    return write


def _over_walks(columns: str, condition: str) -> Callable[[Naming], str]:
    """A query over the records of walks in committed loads."""
    return lambda name: f"select {columns} from {name('walks')} as walks where {committed(name)} and {condition}"


def _moment(moment: Any) -> datetime | None:
    return None if moment is None else utc(moment)
