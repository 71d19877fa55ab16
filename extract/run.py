"""One run: wallets, then the markets and events that they name, then the markets that are due anyway.

What is due is decided by models (`wallets_needing_sync`, `markets_needing_sync`); this carries it out in load
packages of bounded size and keeps count.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import dlt
import msgspec
import pyarrow as pa

from extract.settings import UsageError
from extract.venue import LookUp, Venue, WalkStart
from extract.walks import Reading, Walker, WalkRecord
from extract.warehouse import loading_credentials

#: Walks from a watermark on that weigh as much as one through a whole history, when load packages are made.
GOING_ON_PER_HISTORY = 10


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for. No wallets and no top: every due wallet and the venue's leaderboard."""

    command: str
    wallets: tuple[str, ...] = ()
    top: int | None = None
    max_wallets: int | None = None
    since: datetime | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class DueWallet:
    """A row of `wallets_needing_sync`: per raw table, (watermark, newest row) of what the warehouse has."""

    address: str
    coverage: Mapping[str, tuple[datetime | None, datetime | None]]


@dataclass(frozen=True, slots=True)
class Due:
    """What the warehouse says is due; nothing on a first run.

    `accounts` are wallets whose positions are compared with the venue's, `settlements` conditions whose payouts are
    not known from the venue's settlement.
    """

    wallets: tuple[DueWallet, ...] = ()
    condition_ids: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    settlements: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """Counts of a run, kept by many threads; `failures` holds the failed walks by reason."""

    wallets_total: int = 0
    wallets_done: int = 0
    failed_wallets: set[str] = field(default_factory=set)
    walks: int = 0
    walks_failed: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    failures: dict[str, list[str]] = field(default_factory=dict)
    unlisted_markets: int = 0
    phase: str = "starting"
    _open_walks: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def expect_wallet(self, wallet: str, walks: int) -> None:
        self._open_walks[wallet] = walks

    def note_walk(self, reading: Reading, record: WalkRecord) -> None:
        with self._lock:
            self.walks += 1
            table = reading.table.name
            self.rows[table] = self.rows.get(table, 0) + record.row_count
            if record.status != "completed":
                self.walks_failed += 1
                self.failures.setdefault(record.error or "", []).append(f"{table} of {reading.scope}")
            if reading.scope in self._open_walks:
                self._note_wallet(reading.scope, record)

    def _note_wallet(self, wallet: str, record: WalkRecord) -> None:
        if record.status != "completed":
            self.failed_wallets.add(wallet)
        self._open_walks[wallet] -= 1
        if self._open_walks[wallet] == 0:
            del self._open_walks[wallet]
            self.wallets_done += wallet not in self.failed_wallets


class Sink(Protocol):
    """Takes the rows of walks."""

    def take(self, walker: Walker, readings: Iterable[Reading]) -> None: ...

    def take_table(self, name: str, table: pa.Table) -> None: ...


@dataclass(slots=True)
class DltSink:
    """Loads each batch of walks as one dlt load package: rows and walk records are committed together."""

    pipeline: dlt.Pipeline
    workers: int
    _fattest_page: int = 0

    def take(self, walker: Walker, readings: Iterable[Reading]) -> None:
        @dlt.resource(name="readings")
        def to_read() -> Iterator[Reading]:
            yield from readings

        @dlt.transformer(name="walks", parallelized=True)
        def walk(reading: Reading) -> Iterator[Any]:
            for table_name, table in walker.walk(reading):
                self._fattest_page = max(self._fattest_page, table.nbytes)
                yield dlt.mark.with_table_name(table, table_name)

        self._load(to_read | walk)

    def take_table(self, name: str, table: pa.Table) -> None:
        self._load(dlt.resource([table], name=name))

    def prepare(self) -> None:
        """Makes the working folder agree with the warehouse, then loads what an earlier run fetched but not committed.

        A warehouse that was deleted takes its working folder along; an empty folder learns the schema anew.
        """
        self.pipeline.sync_destination()
        self._drop_half_deleted()
        if self.pipeline.has_pending_data:
            self.pipeline.normalize()
            self.pipeline.load(credentials=loading_credentials(self.pipeline, None))

    def _drop_half_deleted(self) -> None:
        """Ends what a killed run began: dlt deletes an extracted package when it is normalized, file by file.

        What is left of it has no jobs any more, and normalizing it again would fail for ever.
        """
        normalized = set(self.pipeline.list_normalized_load_packages())
        for load_id in self.pipeline.list_extracted_load_packages():
            if load_id in normalized:
                self.pipeline._get_normalize_storage().extracted_packages.delete_package(load_id)

    def _load(self, resource: Any) -> None:
        self.pipeline.extract(
            resource,
            write_disposition="append",
            loader_file_format="parquet",
            workers=self.workers,
            max_parallel_items=self.workers * 2,
        )
        self.pipeline.normalize()
        # Arrow keeps what the pages took for the next ones; DuckDB, which comes now, needs as much for itself.
        pa.default_memory_pool().release_unused()
        self.pipeline.load(credentials=loading_credentials(self.pipeline, self._fattest_page))
        self._fattest_page = 0


@dataclass(slots=True)
class DrySink:
    """Makes the same requests and drops the rows. Only the venue knows how many pages a history has."""

    workers: int

    def take(self, walker: Walker, readings: Iterable[Reading]) -> None:
        def read(reading: Reading) -> None:
            for _ in walker.walk(reading):
                pass

        with ThreadPoolExecutor(self.workers) as pool:
            list(pool.map(read, readings))

    def take_table(self, name: str, table: pa.Table) -> None:
        pass


@dataclass(slots=True)
class Run:
    """Carries out one run of one venue. `stop` ends it early: open walks fail, loaded ones stay."""

    venue: Venue
    options: Options
    due: Due
    sink: Sink
    stop: threading.Event = field(default_factory=threading.Event)
    tally: Tally = field(default_factory=Tally)
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    unit: str = "wallets"
    _naming_table: str = ""
    _discovered: dict[str, None] = field(default_factory=dict)
    _named: dict[str, None] = field(default_factory=dict)
    _found: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def execute(self) -> None:
        """Raises UsageError where there is nothing to follow; venue faults end as failed walks instead."""
        wallets = self._wallets()
        self.tally.wallets_total = len(wallets)
        self.tally.phase = "wallets"
        for group in self._wallet_batches(wallets):
            self._take(self._wallet_readings(group))
        self.tally.phase = "markets"
        conditions = list(self._named)
        conditions += [condition for condition in self.due.condition_ids if condition not in self._named]
        self._look_up_all(conditions)
        self.tally.phase = "resolutions"
        self._take(self.venue.settlement_readings(self.due.settlements))
        self.tally.phase = "positions"
        following = set(wallets)
        accounts = [wallet for wallet in self.due.accounts if wallet in following]
        for batch in _batches(accounts, max(1, self.venue.settings.walks_per_load // 2)):
            self._take(reading for wallet in batch for reading in self.venue.account_readings(wallet))
        self.sink.take_table("runs", self._record())

    # -- wallets

    def _wallets(self) -> list[str]:
        """The wallets of this run, most urgent first, each once."""
        if self.options.wallets:
            wallets = list(self.options.wallets)
        else:
            due = [] if self.options.top is not None else [wallet.address for wallet in self.due.wallets]
            wallets = list(dict.fromkeys([*due, *self._discover()]))
            if not wallets and not self.tally.failures:
                raise UsageError(
                    f"no wallets are known for {self.venue.name}: name some with --wallets A,B or --wallets FILE"
                )
        return wallets[: self.options.max_wallets]

    def _discover(self) -> Iterable[str]:
        reading = self.venue.discovery(self.options.top)
        if reading is None:
            return ()
        self.tally.phase = "leaderboard"
        self._naming_table = reading.table.name
        self._take([reading])
        return self._discovered

    def _wallet_batches(self, wallets: Sequence[str]) -> Iterator[list[str]]:
        """The wallets of each load package.

        A warehouse counts loads per table and day (BigQuery: 1,500), and a crash costs a package at most. So a package
        holds few whole histories, but many walks that only go on from a watermark.
        """
        going_on = set() if self.options.full else {wallet.address for wallet in self.due.wallets if _has_both(wallet)}
        batch: list[str] = []
        walks = 0.0
        for wallet in wallets:
            batch.append(wallet)
            walks += len(self.venue.wallet_tables) / (GOING_ON_PER_HISTORY if wallet in going_on else 1)
            if walks >= self.venue.settings.walks_per_load:
                yield batch
                batch, walks = [], 0.0
        if batch:
            yield batch

    def _wallet_readings(self, wallets: Sequence[str]) -> Iterator[Reading]:
        coverage = {wallet.address: wallet.coverage for wallet in self.due.wallets}
        for wallet in wallets:
            starts = {
                table: self._start(wallet, *coverage.get(wallet, {}).get(table, (None, None)))
                for table in self.venue.wallet_tables
            }
            self.tally.expect_wallet(wallet, len(starts))
            yield from self.venue.wallet_readings(wallet, starts)

    def _start(self, wallet: str, watermark: datetime | None, newest: datetime | None) -> WalkStart:
        known = newest is not None or wallet in self._discovered
        if self.options.full:
            return WalkStart(None, known)
        if self.options.since is not None:
            return WalkStart(self.options.since, newest is not None and newest >= self.options.since)
        if watermark is None:
            return WalkStart(None, known)
        # From the newest row that is known, if that is older than the watermark: an honest answer then holds at least
        # that row, so an empty one gives the venue away instead of moving the watermark past unseen trades.
        start = watermark if newest is None else min(watermark, newest)
        return WalkStart(start - timedelta(seconds=self.venue.settings.overlap), newest is not None)

    # -- markets and events

    def _look_up_all(self, ids: list[str]) -> None:
        for look_up in self.venue.look_ups:
            self.tally.phase = look_up.table.name
            self._named.clear()
            missing = self._look_up(look_up, ids)
            if look_up.table.name == "markets":
                self.tally.unlisted_markets = missing
            ids = list(self._named)

    def _look_up(self, look_up: LookUp, ids: Sequence[str]) -> int:
        """Asks for all ids in every variant; returns how many the venue knows nothing of."""
        missing = list(ids)
        for variant in look_up.variants:
            self._found.clear()
            self._take(look_up.reading(batch, variant) for batch in _batches(missing, look_up.batch_size))
            missing = [id_ for id_ in missing if id_ not in self._found]
        return len(missing)

    # -- shared

    def _take(self, readings: Iterable[Reading]) -> None:
        to_take = iter(readings)
        first = next(to_take, None)
        if first is None or self.stop.is_set():
            return
        walker = Walker(self.run_id, self._on_page, self.tally.note_walk, self.stop)
        self.sink.take(walker, self._until_stopped(first, to_take))

    def _until_stopped(self, first: Reading, rest: Iterator[Reading]) -> Iterator[Reading]:
        yield first
        for reading in rest:
            if self.stop.is_set():
                return
            yield reading

    def _on_page(self, reading: Reading, rows: Sequence[msgspec.Raw], keys: Mapping[str, Sequence[str | None]]) -> None:
        table = reading.table.name
        with self._lock:
            if table in self.venue.wallet_tables:
                self._named.update(dict.fromkeys(filter(None, keys["condition_id"])))
                return
            for look_up in self.venue.look_ups:
                if look_up.table.name == table:
                    self._found.update(filter(None, keys[look_up.id_column]))
                    self._named.update(dict.fromkeys(look_up.names(rows)))
                    return
            if table == self._naming_table:
                self._discovered.update((wallet.lower(), None) for wallet in keys["user_id"] if wallet)

    def _record(self) -> pa.Table:
        """The run's row of the raw table `runs`."""
        tally = self.tally
        ended_at = datetime.now(UTC)
        status = "interrupted" if self.stop.is_set() else "failed" if tally.walks_failed else "completed"
        row = {
            "run_id": self.run_id,
            "command": self.options.command,
            "status": status,
            "error": next(iter(tally.failures), None),
            "wallets": tally.wallets_done,
            "wallets_failed": len(tally.failed_wallets),
            "walks": tally.walks,
            "walks_failed": tally.walks_failed,
            "requests": self.venue.requests_made,
            "trades_fetched": tally.rows.get(self.venue.wallet_tables[0], 0),
            "activity_fetched": tally.rows.get(self.venue.wallet_tables[1], 0),
            "markets_fetched": tally.rows.get("markets", 0),
            "events_fetched": tally.rows.get("events", 0),
            "started_at": self.started_at,
            "ended_at": ended_at,
            "duration_ms": int((ended_at - self.started_at).total_seconds() * 1000),
        }
        return pa.table({name: pa.array([row[name]], type_) for name, type_ in RUN_COLUMNS.items()})


_TEXTS = ("run_id", "command", "status", "error")
_TIMES = ("started_at", "ended_at")
_COUNTS = (
    "wallets",
    "wallets_failed",
    "walks",
    "walks_failed",
    "requests",
    "trades_fetched",
    "activity_fetched",
    "markets_fetched",
    "events_fetched",
    "duration_ms",
)
RUN_COLUMNS: dict[str, pa.DataType] = {
    **dict.fromkeys(_TEXTS, pa.string()),
    **dict.fromkeys(_COUNTS, pa.int64()),
    **dict.fromkeys(_TIMES, pa.timestamp("us", tz="UTC")),
}


def _has_both(wallet: DueWallet) -> bool:
    """True where no walk of the wallet is a whole history."""
    return all(watermark is not None for watermark, _ in wallet.coverage.values())


def _batches(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
