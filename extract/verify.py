"""Asking a venue again, and holding what it says against the warehouse.

What is compared never comes from counting our own rows alone: each finding is a difference to an answer that the venue
gave just now. A check asks, loads nothing, and compares in SQL, in a DuckDB of its own in memory, so that the warehouse
is only read and both engines are checked by the same statements.

Another venue adds another `Check` to `extract.cli.verify.CHECKS`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import dlt
import duckdb
import pyarrow as pa

from extract.settings import UsageError
from extract.venue import LookUp, Venue, WalkStart
from extract.walks import Reading, Walker, WalkRecord
from extract.warehouse import public_rows

#: What can be wrong with a wallet, and with a market.
KINDS = (
    "missing_rows",
    "missing_window",
    "truncated_history",
    "missing_wallet",
    "duplicated_rows",
    "unknown_rows",
    "different_rows",
    "missing_market",
    "stale_market",
    "duplicated_market",
    "different_market",
)

#: Wallets whose answers are held in memory at once.
WALLETS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be asked again.

    Args:
        bound_from, bound_to: inclusive bounds of the venue's own time; None is no bound.
        wallets: these wallets only.
        sample: so many things, chosen by `salt`; None: all.
        salt: another one chooses others.
    """

    bound_from: datetime | None = None
    bound_to: datetime | None = None
    wallets: tuple[str, ...] = ()
    sample: int | None = None
    salt: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between the venue and the warehouse.

    Args:
        kind: what is wrong, in one word.
        scope: wallet, market or contract that it is about.
        rows: how many rows.
        detail: in words.
        what_to_do: command that mends it.
        first_at, last_at: time of the first and the last of the rows, UTC.
        is_missing: the venue has what the warehouse lacks; otherwise the warehouse has it wrong.
    """

    kind: str
    scope: str
    rows: int
    detail: str
    what_to_do: str
    first_at: datetime | None = None
    last_at: datetime | None = None
    is_missing: bool = True


@dataclass(slots=True)
class Outcome:
    """What a check came to: things asked for by name, what differed, what got no answer and why, and of prices how much
    of each day the warehouse has."""

    asked: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unanswered: dict[str, str] = field(default_factory=dict)
    coverage: list[dict[str, Any]] = field(default_factory=list)

    def note_asked(self, what: str, count: int) -> None:
        self.asked[what] = self.asked.get(what, 0) + count


class Check(Protocol):
    """One way of asking a venue again."""

    def run(self, scope: Scope, outcome: Outcome) -> None:
        """Asks and compares; adds to `outcome`. A venue that fails is `unanswered`, not an exception."""
        ...


# -- asking ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Answers:
    """Rows of the readings that were read to their end, per raw table; of the others the reason."""

    tables: dict[str, list[pa.Table]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def ask(readings: Sequence[Reading], workers: int) -> Answers:
    """Carries out readings and keeps their rows. A reading that fails leaves no row: half an answer proves nothing."""
    answers = Answers()
    lock = threading.Lock()

    def read(reading: Reading) -> None:
        records: list[WalkRecord] = []
        walker = Walker("verify", lambda _, record: records.append(record))
        rows = [table for name, table in walker.walk(reading) if name == reading.table.name]
        with lock:
            if records[0].status == "completed":
                answers.tables.setdefault(reading.table.name, []).extend(rows)
            else:
                answers.failed[reading.scope] = records[0].error or ""

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(read, readings))
    return answers


def quoted(names: Sequence[str]) -> str:
    """SQL texts with commas between; names are hexadecimal ids, and anything else is refused."""
    for name in names:
        if not name.isalnum():
            raise ValueError(f"not an id: {name!r}")
    return ", ".join(f"'{name}'" for name in names)


def timestamp(moment: datetime) -> str:
    """A moment as a literal that both engines read."""
    return f"timestamp '{moment:%Y-%m-%d %H:%M:%S}'"


# -- wallets -----------------------------------------------------------------------------------------------------------

#: Per venue: its fills and ledger entries, from the tables of the same names, in one shape. `source_rank`: where both
#: tell the same number of fills, the first counts.
ASKED = {
    "polymarket": """
        select 1 as source_rank, 'trades' as resource, proxy_wallet as wallet, 'TRADE' as entry_type,
            transaction_hash, token_id, condition_id, side, size, price, timestamp
        from trades
        union all
        select 2, 'activity', proxy_wallet, upper(type),
            transaction_hash, token_id, condition_id, side, size, price, timestamp
        from activity
    """,
    "dome": """
        select 1 as source_rank, 'trades' as resource, user_address as wallet, 'TRADE' as entry_type,
            tx_hash as transaction_hash, token_id, condition_id, side,
            coalesce(cast(try_cast(shares as decimal(38, 0)) * 0.000001 as varchar), shares_normalized) as size,
            price, timestamp
        from orders
        union all
        select 2, 'activity', user_address, upper(side),
            tx_hash, token_id, condition_id, null,
            coalesce(cast(try_cast(shares as decimal(38, 0)) * 0.000001 as varchar), shares_normalized),
            price, timestamp
        from activity
    """,
}
#: Sources of `trades` that a venue's answers vouch for; the fills of others may stand in their place.
OWN_SOURCES = {"polymarket": ("polymarket_trades", "polymarket_activity"), "dome": ("dome_orders",)}
LEDGER_SOURCE = {"polymarket": "polymarket_activity", "dome": "dome_activity"}

#: A thing is what one wallet bought or sold of one token in one transaction, or its ledger entries of one kind, market
#: and transaction: neither side names single fills. What was stored counts up to the moment the venue was last asked.
COMPARED = """
    with asked as (
        select
            source_rank,
            asked.resource,
            lower(asked.wallet) as wallet,
            concat_ws(
                ':', lower(transaction_hash), entry_type,
                case when entry_type = 'TRADE' then token_id || ':' || upper(side) else lower(condition_id) end
            ) as thing,
            entry_type = 'TRADE' as is_fill,
            try_cast(size as decimal(38, 6)) as shares,
            try_cast(price as decimal(38, 17)) as price,
            make_timestamp(try_cast(timestamp as bigint) * 1000000) as happened_at,
            lower(condition_id) as condition_id
        from ({asked}) as asked
        where
            transaction_hash is not null
            and try_cast(size as decimal(38, 6)) is not null
            and (entry_type != 'TRADE' or (token_id is not null and upper(side) in ('BUY', 'SELL')))
    ),
    in_bounds as (
        select
            asked.*,
            coalesce(asked.happened_at <= horizons.reached_at, true) as is_due
        from asked
        inner join horizons on asked.wallet = horizons.wallet and asked.resource = horizons.resource
        where {bounds}
    ),
    per_source as (
        select
            wallet, thing, is_fill, source_rank,
            count(*) as rows,
            count(*) filter (is_due) as due_rows,
            sum(shares) as shares,
            sum(shares) filter (is_due) as due_shares,
            min(price) as low, max(price) as high, min(happened_at) as happened_at
        from in_bounds
        group by wallet, thing, is_fill, source_rank
    ),
    expected as (
        select * from per_source
        qualify row_number() over (partition by wallet, thing order by due_rows desc, rows desc, source_rank) = 1
    ),
    compared as (
        select
            coalesce(expected.wallet, stored.wallet) as wallet,
            coalesce(expected.thing, stored.thing) as thing,
            coalesce(expected.happened_at, stored.happened_at) as happened_at,
            coalesce(expected.is_fill, stored.is_fill) as is_fill,
            coalesce(expected.rows, 0) as rows_asked,
            coalesce(stored.rows, 0) as rows_stored,
            case
                when coalesce(stored.rows, 0) < coalesce(expected.due_rows, 0) then 'missing'
                when expected.wallet is null and stored.is_own then 'unknown'
                when stored.rows > expected.rows and stored.is_own then 'duplicated'
                when
                    stored.rows = expected.rows
                    and (
                        abs(stored.shares - expected.shares) > 0.000001 * expected.rows
                        or abs(stored.low - expected.low) > 0.00000001
                        or abs(stored.high - expected.high) > 0.00000001
                        or stored.happened_at != expected.happened_at
                    )
                    and stored.is_own
                    then 'different'
                else 'same'
            end as verdict,
            case
                when coalesce(stored.rows, 0) < coalesce(expected.due_rows, 0)
                    then expected.due_rows - coalesce(stored.rows, 0)
                when stored.rows > coalesce(expected.rows, 0) then stored.rows - coalesce(expected.rows, 0)
                else coalesce(stored.rows, 0)
            end as rows
        from expected
        full outer join stored on expected.wallet = stored.wallet and expected.thing = stored.thing
        where expected.wallet is null or expected.due_rows > 0 or stored.wallet is not null
    ),
    -- What is wrong in a row, in the order of time, is one finding: a window that nobody read is one, not a thousand.
    marked as (
        select
            *,
            row_number() over (partition by wallet, is_fill order by happened_at, thing)
            - row_number() over (partition by wallet, is_fill, verdict order by happened_at, thing) as island,
            min(happened_at) over (partition by wallet, is_fill) = happened_at as is_first,
            count(*) over (partition by wallet, is_fill) as things
        from compared
    ),
    islands as (
        select
            wallet,
            is_fill,
            verdict,
            cast(sum(rows) as bigint) as rows,
            cast(sum(rows_asked) as bigint) as rows_asked,
            cast(sum(rows_stored) as bigint) as rows_stored,
            count(*) as wrong,
            max(things) as things,
            bool_or(is_first) as is_first,
            min(happened_at) as first_at,
            max(happened_at) as last_at,
            min(split_part(thing, ':', 1)) as transaction_hash
        from marked
        where verdict != 'same'
        group by wallet, is_fill, verdict, island
    )
    select
        case
            when verdict = 'missing' and wrong = things and is_fill then 'missing_wallet'
            when verdict = 'missing' and wrong > 1 and is_first and {has_no_beginning} then 'truncated_history'
            when verdict = 'missing' and wrong > 1 then 'missing_window'
            else verdict || '_rows'
        end as kind,
        verdict, is_fill, wallet, rows, rows_asked, rows_stored, first_at, last_at, transaction_hash
    from islands
    order by wallet, first_at, is_fill, verdict
"""


#: Markets that should be known: what rows name that should be here, of wallets that were read.
NAMED_MARKETS = """
    select distinct lower(asked.condition_id)
    from ({asked}) as asked
    inner join horizons on lower(asked.wallet) = horizons.wallet and asked.resource = horizons.resource
    where
        asked.condition_id != ''
        and make_timestamp(try_cast(asked.timestamp as bigint) * 1000000) <= horizons.reached_at
        and horizons.wallet in (select wallet from stored)
    order by 1
"""


@dataclass(slots=True)
class WalletsCheck:
    """Fills and ledger entries of wallets. Leaves in `conditions` the markets that they name."""

    venue: Venue
    pipeline: dlt.Pipeline
    conditions: dict[str, None] = field(default_factory=dict)

    def run(self, scope: Scope, outcome: Outcome) -> None:
        wallets = self._chosen(scope)
        if not wallets:
            raise UsageError(f"no wallet of {self.venue.name} is known that could be asked for again")
        for start in range(0, len(wallets), WALLETS_AT_ONCE):
            self._compare(wallets[start : start + WALLETS_AT_ONCE], scope, outcome)

    def _chosen(self, scope: Scope) -> list[Any]:
        """(wallet, up to when its fills were asked for, the same for its ledger)."""
        tail = f"where venue = '{self.venue.name}'"
        if scope.wallets:
            tail += f" and wallet_address in ({quoted(scope.wallets)})"
        # A choice by hash is the same on both engines and for everybody on the same day, and another one tomorrow.
        tail += f" order by md5(concat(wallet_address, '{scope.salt}')), wallet_address"
        if scope.sample is not None and not scope.wallets:
            tail += f" limit {scope.sample:d}"
        columns = ("wallet_address", "trades_asked_to", "activity_asked_to")
        rows = needed_rows(self.pipeline, "wallet_coverage", columns, tail)
        unknown = set(scope.wallets) - {row[0] for row in rows}
        if unknown:
            raise UsageError(f"{min(unknown)} is not among the wallets of the warehouse")
        return rows

    def _compare(self, wallets: Sequence[Any], scope: Scope, outcome: Outcome) -> None:
        fills, ledger = self._stored(sorted(row[0] for row in wallets), scope)
        readings = list(self._readings([row[0] for row in wallets], scope, fills, ledger))
        answers = ask(readings, self.venue.settings.workers)
        answered = [row for row in wallets if row[0] not in answers.failed]
        outcome.unanswered.update(answers.failed)
        outcome.note_asked("wallets", len(answered))
        with duckdb.connect() as memory:
            for table in {reading.table.name: reading.table for reading in readings}.values():
                rows = answers.tables.get(table.name) or [table.schema.empty_table()]
                memory.register(table.name, pa.concat_tables(rows))
                outcome.note_asked("rows", sum(part.num_rows for part in rows))
            memory.register("horizons", self._horizons(answered))
            memory.register("stored_rows", _stored_table(fills, ledger))
            # Of a wallet that gave no answer nothing is known, so nothing of it is compared.
            memory.execute("create view stored as select * from stored_rows semi join horizons using (wallet)")
            named = memory.execute(NAMED_MARKETS.format(asked=ASKED[self.venue.name])).fetchall()
            self.conditions.update((name, None) for (name,) in named)
            outcome.findings += self._findings(memory, scope)

    def _readings(
        self, wallets: Sequence[str], scope: Scope, fills: Sequence[Any], ledger: Sequence[Any]
    ) -> Iterator[Reading]:
        trades, activity = self.venue.wallet_tables
        # An answer without a row is believed only where the warehouse has none either. Dust stands in the ledger alone.
        listed = {row[0] for row in fills if row[3] == OWN_SOURCES[self.venue.name][0]}
        entered = {row[0] for row in ledger}
        for wallet in wallets:
            starts = {
                trades: WalkStart(scope.bound_from, wallet in listed),
                activity: WalkStart(scope.bound_from, wallet in entered),
            }
            yield from self.venue.wallet_readings(wallet, starts)

    def _stored(self, wallets: Sequence[str], scope: Scope) -> tuple[list[Any], list[Any]]:
        """What the warehouse has: fills by transaction, token and side, and ledger entries by transaction, kind and
        market; each as (wallet, thing, is_fill, source, rows, shares, lowest price, highest price, time)."""
        only = f"where wallet_address in ({quoted(wallets)})"
        bounds = [
            f" and {{at}} {sign} {timestamp(bound)}"
            for sign, bound in ((">=", scope.bound_from), ("<=", scope.bound_to))
            if bound is not None
        ]
        between = "".join(bounds)
        fills = needed_rows(
            self.pipeline,
            "trades",
            (
                "wallet_address",
                "concat(transaction_hash, ':TRADE:', token_id, ':', side) as thing",
                "true as is_fill",
                "min(source) as source",
                "count(*) as row_count",
                "sum(shares) as shares",
                "min(price) as low",
                "max(price) as high",
                "min(timestamp) as happened_at",
            ),
            f"{only}{between.format(at='timestamp')} group by wallet_address, transaction_hash, token_id, side",
        )
        ledger = needed_rows(
            self.pipeline,
            "int_source_entries",
            (
                "wallet_address",
                "concat(transaction_hash, ':', entry_type, ':', coalesce(condition_id, '')) as thing",
                "false as is_fill",
                "source",
                "count(*) as row_count",
                "sum(shares) as shares",
                "min(price) as low",
                "max(price) as high",
                "min(traded_at) as happened_at",
            ),
            f"{only}{between.format(at='traded_at')} and source = '{LEDGER_SOURCE[self.venue.name]}'"
            " and entry_type != 'TRADE' and transaction_hash is not null and shares is not null"
            " group by wallet_address, transaction_hash, entry_type, condition_id, source",
            layer="_intermediate",
        )
        own = OWN_SOURCES[self.venue.name]
        return [(*row, row[3] in own) for row in fills], [(*row, True) for row in ledger]

    def _horizons(self, wallets: Sequence[Any]) -> pa.Table:
        """Up to when each wallet's rows should be here; the next run reads what is newer, or late by the overlap."""
        overlap = timedelta(seconds=self.venue.settings.overlap)
        names, resources, reached = [], [], []
        for wallet, trades_to, activity_to in wallets:
            for resource, asked_to in (("trades", trades_to), ("activity", activity_to)):
                names.append(wallet)
                resources.append(resource)
                reached.append(None if asked_to is None else naive_utc(asked_to) - overlap)
        return pa.table(
            {"wallet": names, "resource": resources, "reached_at": pa.array(reached, pa.timestamp("us"))},
            schema=pa.schema([("wallet", pa.string()), ("resource", pa.string()), ("reached_at", pa.timestamp("us"))]),
        )

    def _findings(self, memory: duckdb.DuckDBPyConnection, scope: Scope) -> Iterator[Finding]:
        bounds = ["true"]
        if scope.bound_from is not None:
            bounds.append(f"happened_at >= {timestamp(scope.bound_from)}")
        if scope.bound_to is not None:
            bounds.append(f"happened_at <= {timestamp(scope.bound_to)}")
        compared = COMPARED.format(
            asked=ASKED[self.venue.name],
            bounds=" and ".join(bounds),
            has_no_beginning=str(scope.bound_from is None).lower(),
        )
        for row in memory.execute(compared).fetchall():
            kind, verdict, is_fill, wallet, rows, asked, stored, first_at, last_at, transaction = row
            what = "fills" if is_fill else "ledger entries"
            yield Finding(
                kind=kind,
                scope=wallet,
                rows=rows,
                detail=f"{what}: the venue has {asked:,}, the warehouse {stored:,}; first in {transaction}",
                what_to_do=(
                    f"dlt pipeline {self.venue.name} run --wallets {wallet} --since {first_at:%Y-%m-%dT%H:%M:%SZ}"
                    if verdict == "missing"
                    else "dbt build --full-refresh --select int_source_entries+"
                ),
                first_at=first_at.replace(tzinfo=UTC),
                last_at=last_at.replace(tzinfo=UTC),
                is_missing=verdict == "missing",
            )


_STORED = pa.schema(
    [
        ("wallet", pa.string()),
        ("thing", pa.string()),
        ("is_fill", pa.bool_()),
        ("source", pa.string()),
        ("rows", pa.int64()),
        ("shares", pa.decimal128(38, 9)),
        ("low", pa.decimal128(38, 9)),
        ("high", pa.decimal128(38, 9)),
        ("happened_at", pa.timestamp("us")),
        ("is_own", pa.bool_()),
    ]
)


def _stored_table(fills: Sequence[Any], ledger: Sequence[Any]) -> pa.Table:
    rows = [(*row[:8], naive_utc(row[8]), row[9]) for row in (*fills, *ledger)]
    return pa.Table.from_pylist([dict(zip(_STORED.names, row, strict=True)) for row in rows], _STORED)


# -- markets -----------------------------------------------------------------------------------------------------------

#: Per venue, what it says of a market. `decided_at`: when it last changed for good; `winner`: the one outcome that won.
ASKED_MARKETS = {
    # Gamma's lists are JSON texts within the JSON.
    "polymarket": """
        with latest as (
            select
                lower(condition_id) as market_id,
                payload ->> '$.closed' = 'true' as is_closed,
                lower(payload ->> '$.umaResolutionStatus') = 'resolved' as is_resolved,
                cast(coalesce(
                    try_cast(payload ->> '$.closedTime' as timestamptz),
                    try_cast(payload ->> '$.umaEndDate' as timestamptz),
                    try_cast(payload ->> '$.updatedAt' as timestamptz)
                ) as timestamp) as decided_at,
                cast(try_cast(payload ->> '$.outcomes' as json) as varchar[]) as outcomes,
                list_transform(
                    cast(try_cast(payload ->> '$.outcomePrices' as json) as varchar[]),
                    price -> coalesce(try_cast(price as double) = 1, false)
                ) as is_winner
            from markets
            qualify row_number() over (partition by lower(condition_id) order by fetched_at desc) = 1
        )
        select
            market_id, is_closed, is_resolved, decided_at,
            case
                when list_count(list_filter(is_winner, one -> one)) = 1 then outcomes[list_position(is_winner, true)]
            end as winner
        from latest
    """,
    # The winner is an object, or a bare label.
    "dome": """
        with latest as (
            select
                lower(condition_id) as market_id,
                lower(payload ->> '$.status') = 'closed' as is_closed,
                make_timestamp(coalesce(
                    try_cast(payload ->> '$.completed_time' as bigint),
                    try_cast(payload ->> '$.close_time' as bigint),
                    try_cast(payload ->> '$.end_time' as bigint)
                ) * 1000000) as decided_at,
                nullif(coalesce(
                    payload ->> '$.winning_side.label',
                    case when json_type(payload, '$.winning_side') = 'VARCHAR' then payload ->> '$.winning_side' end
                ), '') as winner
            from markets
            qualify row_number() over (partition by lower(condition_id) order by fetched_at desc) = 1
        )
        select
            market_id, is_closed, winner is not null as is_resolved, decided_at, winner
        from latest
    """,
}

#: Where another venue is the source of a market, this one only vouches for its being there.
COMPARED_MARKETS = """
    with asked as ({asked}),
    compared as (
        select
            asked.market_id,
            asked.decided_at,
            coalesce(stored.rows, 0) as rows_stored,
            asked.is_closed,
            stored.status,
            case
                when stored.market_id is null then 'missing_market'
                when stored.rows > 1 then 'duplicated_market'
                when not stored.is_own then null
                when asked.is_closed and not stored.is_closed and asked.decided_at < ? then 'stale_market'
                when
                    asked.is_closed and asked.is_resolved and stored.status not in ('resolved', 'voided')
                    and asked.decided_at < ?
                    then 'stale_market'
                when stored.is_closed and not asked.is_closed then 'different_market'
                when
                    asked.is_resolved and stored.status = 'resolved' and asked.winner is not null
                    and stored.winning_outcome is distinct from asked.winner
                    then 'different_market'
            end as kind
        from asked
        left join stored on asked.market_id = stored.market_id
    )
    select kind, market_id, decided_at, rows_stored, is_closed, status from compared
    where kind is not null
    order by market_id
"""

_STORED_MARKETS = pa.schema(
    [
        ("market_id", pa.string()),
        ("rows", pa.int64()),
        ("is_closed", pa.bool_()),
        ("status", pa.string()),
        ("winning_outcome", pa.string()),
        ("is_own", pa.bool_()),
    ]
)


@dataclass(slots=True)
class MarketsCheck:
    """Markets that the wallets' rows name, and as many undecided ones of the warehouse as wallets were asked for."""

    venue: Venue
    pipeline: dlt.Pipeline
    wallets: WalletsCheck

    def run(self, scope: Scope, outcome: Outcome) -> None:
        ids = dict(self.wallets.conditions)
        ids.update((market_id, None) for market_id in self._undecided(scope))
        [(newest,)] = needed_rows(
            self.pipeline, "markets", ("max(observed_at) as newest",), f"where source = '{self.venue.name}'"
        )
        if newest is None:
            return
        # As of the last time that markets were read: what was decided later the next run will see.
        read_at = naive_utc(newest) - timedelta(seconds=self.venue.settings.overlap)
        for look_up in self.venue.look_ups:
            if look_up.table.name == "markets":
                names = list(ids)
                for start in range(0, len(names), look_up.batch_size):
                    self._compare(look_up, names[start : start + look_up.batch_size], read_at, outcome)

    def _undecided(self, scope: Scope) -> Iterator[str]:
        if scope.wallets:
            return
        tail = f"where source = '{self.venue.name}' and status not in ('resolved', 'voided')"
        tail += f" order by md5(concat(market_id, '{scope.salt}')), market_id"
        if scope.sample is not None:
            tail += f" limit {scope.sample:d}"
        for (market_id,) in needed_rows(self.pipeline, "markets", ("market_id",), tail):
            yield market_id

    def _compare(self, look_up: LookUp, ids: Sequence[str], read_at: datetime, outcome: Outcome) -> None:
        answers = ask([look_up.reading(ids, variant) for variant in look_up.variants], self.venue.settings.workers)
        if answers.failed:
            outcome.unanswered.update(answers.failed)
            return
        rows = pa.concat_tables(answers.tables.get(look_up.table.name) or [look_up.table.schema.empty_table()])
        columns = (
            "market_id",
            "count(*) as row_count",
            "max(case when closed then 1 else 0 end) = 1 as is_closed",
            "min(status) as status",
            "min(winning_outcome) as winning_outcome",
            f"min(source) = '{self.venue.name}' as is_own",
        )
        stored = needed_rows(
            self.pipeline, "markets", columns, f"where market_id in ({quoted(ids)}) group by market_id"
        )
        with duckdb.connect() as memory:
            memory.execute("set timezone = 'UTC'")
            memory.register("markets", rows)
            memory.register(
                "stored",
                pa.Table.from_pylist(
                    [dict(zip(_STORED_MARKETS.names, row, strict=True)) for row in stored], _STORED_MARKETS
                ),
            )
            outcome.note_asked("markets", rows.num_rows)
            for kind, market_id, decided_at, count, is_closed, status in memory.execute(
                COMPARED_MARKETS.format(asked=ASKED_MARKETS[self.venue.name]), [read_at, read_at]
            ).fetchall():
                outcome.findings.append(
                    Finding(
                        kind=kind,
                        scope=market_id,
                        rows=max(count, 1),
                        detail=(
                            f"the venue says {'closed' if is_closed else 'open'}, the warehouse {status or 'nothing'}"
                        ),
                        what_to_do=f"dlt pipeline {self.venue.name} run, then dbt build",
                        first_at=decided_at.replace(tzinfo=UTC) if decided_at else None,
                        last_at=decided_at.replace(tzinfo=UTC) if decided_at else None,
                        is_missing=kind in ("missing_market", "stale_market"),
                    )
                )


# -- what the warehouse has --------------------------------------------------------------------------------------------


def needed_rows(pipeline: dlt.Pipeline, table: str, columns: tuple[str, ...], tail: str, layer: str = "") -> list[Any]:
    """Rows of a table that dbt builds.

    Raises:
        UsageError: it was not built yet.
    """
    rows = public_rows(pipeline, table, columns, tail, layer=layer)
    if rows is None:
        raise UsageError(f"there is no table {table} yet: run `dlt pipeline run`, then `dbt build`")
    return rows


def naive_utc(moment: datetime) -> datetime:
    """UTC without its zone, as DuckDB gives it; BigQuery gives it with one."""
    return moment.replace(tzinfo=None) if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
