"""One run: wallets, then the markets and events that they name, then what is due anyway.

What is due is decided by models (`wallets_needing_sync`, `markets_needing_sync`); this carries it out in load
packages of bounded size and keeps count.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
import pyarrow as pa
from dlt.common.utils import chunks

from extract.packages import NamedTable, Package, Stage
from extract.settings import UsageError
from extract.sinks import Sink
from extract.tally import Tally
from extract.venue import ADDRESS, FIRST_LOOK_BACK, LookUp, Venue, WalkStart
from extract.walks import Page, Reading, Walker, WalkRecord, seconds

#: Walks from a watermark on that weigh as much as one through a whole history, when load packages are made.
GOING_ON_PER_HISTORY = 10
#: Readings in one package of look-ups, each of as many ids as the venue takes in a request.
LOOK_UPS_PER_LOAD = 40
#: Share of the requests for what is due that settlements may take.
SETTLEMENT_SHARE = 4
#: Wallets of which the venue's positions are read because the feed named them; all that are walked for another reason.
ACCOUNTS_OF_FEED = 10


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` of `of`: by a hash of the id, the same on every computer."""

    number: int
    of: int

    def holds(self, id_: str) -> bool:
        return int.from_bytes(hashlib.sha256(id_.encode()).digest()[:8], "big") % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def feed_scope(shard: Shard | None) -> str:
    """What the records of walks through the feed are told apart by: each shard has to hear of its own wallets."""
    return "trades" if shard is None else f"trades:{shard}"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for. Nothing: every wallet that is due, or that the venue's feed names.

    Args:
        wallets, markets: only these, by address and by condition.
        top: the first so many wallets of the venue's leaderboard.
        max_wallets: at most so many, the most urgent first.
        since, full: the lower bound of walks, or none.
        backfill: the whole history of what was never completed, and nothing else.
        retry_failed: only wallets whose last walk failed.
        active_only: only wallets that traded lately.
        all_wallets: every wallet, due or not.
        shard: only the part of everything whose ids it holds.
    """

    command: str
    wallets: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()
    top: int | None = None
    max_wallets: int | None = None
    since: datetime | None = None
    full: bool = False
    backfill: bool = False
    retry_failed: bool = False
    active_only: bool = False
    all_wallets: bool = False
    shard: Shard | None = None

    @property
    def is_incremental(self) -> bool:
        """Whether wallets are read only where they are due, or the feed names them."""
        narrowed = self.wallets or self.markets or self.top or self.since or self.full
        return not (narrowed or self.backfill or self.retry_failed or self.all_wallets)


@dataclass(frozen=True, slots=True)
class DueWallet:
    """A row of `wallets_needing_sync`.

    Args:
        coverage: per raw table, (watermark, newest row) of what the warehouse has.
        due_at: when it is to be read whether it traded or not, by the venue's clock; None: at once.
    """

    address: str
    coverage: Mapping[str, tuple[datetime | None, datetime | None]]
    due_at: datetime | None = None
    is_failed: bool = False
    is_active: bool = True

    def is_known_since(self, moment: datetime) -> bool:
        """Whether every table was read up to `moment` at least."""
        return self.is_complete and all(watermark >= moment for watermark, _ in self.coverage.values() if watermark)

    @property
    def is_complete(self) -> bool:
        """Whether every table's history was read from the beginning."""
        return bool(self.coverage) and all(watermark is not None for watermark, _ in self.coverage.values())


@dataclass(frozen=True, slots=True)
class Due:
    """What the warehouse says is due; nothing on a first run.

    Args:
        accounts: wallets whose positions are compared with the venue's.
        settlements: conditions whose payouts are not known from the venue's settlement.
        markets_due_at: when those are due that are not at once, by the venue's clock.
        market_watermarks: conditions whose trades are followed, with (watermark, newest row).
        named: conditions that loaded rows name and no run has asked for, where no list holds them.
        feed_watermark: up to when the venue's feed was read and all that it named were walked.
    """

    wallets: tuple[DueWallet, ...] = ()
    condition_ids: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    settlements: tuple[str, ...] = ()
    markets_due_at: Mapping[str, datetime] = field(default_factory=dict)
    market_watermarks: Mapping[str, tuple[datetime | None, datetime | None]] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    feed_watermark: datetime | None = None


@dataclass(slots=True)
class Run:
    """Carries out one run of one venue. `stop` ends it early: open walks are left, loaded ones stay.

    `sources` name wallets beside the venue's own boards, in the first key column of their tables.
    """

    venue: Venue
    options: Options
    due: Due
    sink: Sink
    sources: Sequence[Reading] = ()
    stop: threading.Event = field(default_factory=threading.Event)
    tally: Tally = field(default_factory=Tally)
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    unit: str = "wallets"
    has_discovered: bool = False
    _discovered: dict[str, None] = field(default_factory=dict)
    _traders: set[str] = field(default_factory=set)
    _named: dict[str, None] = field(default_factory=dict)
    _of_feed: set[str] = field(default_factory=set)
    _feed_record: list[NamedTable] = field(default_factory=list)
    _records: list[NamedTable] = field(default_factory=list)
    _venue_time: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def execute(self) -> None:
        """Raises UsageError where there is nothing to follow; venue faults end as failed walks instead."""
        wallets = [] if self.options.markets else self._wallets()
        self.tally.wallets_total = len(wallets)
        self.tally.phase = "wallets"
        self._take(Package.of(self._wallet_readings(group)) for group in self._wallet_batches(wallets))
        self._take_markets()
        self._look_up_all(self._conditions())
        if not self._is_narrow:
            self._take_settlements()
            self._take_accounts(wallets)
        if not self.stop.is_set():
            # Only now: until what the feed named is committed, the next run must hear of it again.
            self._records += self._feed_record
        self.sink.take_tables([*self._records, ("runs", self._record())])

    @property
    def _is_narrow(self) -> bool:
        """Whether the run does what it was asked for and nothing else that is due."""
        return bool(self.options.retry_failed or self.options.backfill or self.options.markets)

    # -- wallets

    def _wallets(self) -> list[str]:
        """The wallets of this run, most urgent first, each once."""
        wallets = [wallet for wallet in self._candidates() if self._is_ours(wallet)]
        chosen = wallets[: self.options.max_wallets]
        if len(chosen) < len(wallets):
            # The feed named wallets that this run leaves out.
            self._feed_record.clear()
        return chosen

    def _candidates(self) -> list[str]:
        known = {wallet.address: wallet for wallet in self.due.wallets}
        if self.options.wallets:
            return self._unfinished(self.options.wallets, known)
        if self.options.retry_failed:
            return [address for address, wallet in known.items() if wallet.is_failed]
        self._discover(known)
        if self.options.top is not None:
            return self._unfinished(list(self._discovered), known)
        wallets = [*known, *(wallet for wallet in self._discovered if wallet not in known)]
        if not wallets and not self.tally.failures and not self.stop.is_set():
            raise UsageError(
                f"no wallets are known for {self.venue.name}: name some with --wallets A,B or --wallets FILE"
            )
        if self.options.active_only:
            wallets = [wallet for wallet in wallets if wallet in known and known[wallet].is_active]
        if self.options.is_incremental:
            return self._due_or_named(wallets, known)
        return self._unfinished(wallets, known)

    def _unfinished(self, wallets: Sequence[str], known: Mapping[str, DueWallet]) -> list[str]:
        """All of them, or in a backfill those that were never completed."""
        if not self.options.backfill:
            return list(wallets)
        return [wallet for wallet in wallets if wallet not in known or not known[wallet].is_complete]

    def _is_ours(self, id_: str) -> bool:
        return self.options.shard is None or self.options.shard.holds(id_)

    def _discover(self, known: Mapping[str, DueWallet]) -> None:
        """Asks the sources of wallets. What names nobody new is not loaded, only that it was asked."""
        self.tally.phase = "wallet sources"
        self.has_discovered = self.options.top is None
        boards = self.venue.discovery(self.options.top)
        for reading in boards if self.options.top is not None else [*boards, *self.sources]:
            if self.stop.is_set():
                return
            found: dict[str, None] = {}
            column = next(iter(reading.table.keys))
            listener = partial(_note_addresses, found, column)
            *rows, record = self._walk(replace(reading, listener=listener))
            self._discovered.update(found)
            if reading in boards:
                self._traders.update(found)
            if any(wallet not in known for wallet in found):
                self.sink.take_tables([*rows, record])
            else:
                self._records.append(record)

    def _due_or_named(self, wallets: Sequence[str], known: Mapping[str, DueWallet]) -> list[str]:
        """Wallets that are due by the clock, and of the others those that the venue's feed names."""
        resting = [wallet for wallet in self.due.wallets if wallet.due_at is not None and self._is_ours(wallet.address)]
        feed = self.venue.feed(self._feed_start())
        if feed is None or not resting:
            return list(wallets)
        self.tally.phase = "feed"
        watch = _FeedWatch(replace(feed, scope=feed_scope(self.options.shard)), resting, len(self.venue.wallet_tables))
        *_, record = self._walk(watch.reading())
        if watch.refusal is None and not watch.has_ended:
            watch.refusal = "the feed could not be read"
            self._records.append(record)
        if watch.refusal is not None:
            if not self.stop.is_set():
                self.tally.notes.append(f"{watch.refusal}: every wallet is asked")
            return list(wallets)
        self._feed_record = [record]
        rested = {wallet.address for wallet in watch.resting}
        self._of_feed = watch.named & rested
        self.tally.notes.append(
            f"the feed names {len(self._of_feed):,} of {len(rested):,} wallets that are not due ({watch.pages:,} pages)"
        )
        return [wallet for wallet in wallets if wallet not in rested or wallet in watch.named]

    def _feed_start(self) -> datetime | None:
        watermark = self.due.feed_watermark
        return None if watermark is None else watermark - timedelta(seconds=self.venue.settings.overlap)

    def _wallet_batches(self, wallets: Sequence[str]) -> Iterator[list[str]]:
        """The wallets of each load package.

        A warehouse counts loads per table and day (BigQuery: 1,500), and a crash costs a package at most. So a package
        holds few whole histories, but many walks that only go on from a watermark.
        """
        going_on = set() if self.options.full else {wallet.address for wallet in self.due.wallets if wallet.is_complete}
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
            known = coverage.get(wallet, {})
            starts = {
                table: self._start(wallet, *known.get(table, (None, None)))
                for table in self.venue.wallet_tables
                # What is complete has no need of a backfill.
                if not (self.options.backfill and known.get(table, (None, None))[0] is not None)
            }
            self.tally.expect_wallet(wallet, len(starts))
            for reading in self.venue.wallet_readings(wallet, starts):
                yield replace(reading, listener=self._note_conditions)

    def _start(self, wallet: str, watermark: datetime | None, newest: datetime | None) -> WalkStart:
        known = newest is not None or wallet in self._traders
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

    def _take_markets(self) -> None:
        """The trades of markets that are followed, each from where its last completed walk ended."""
        self.tally.phase = "trades of markets"
        readings = []
        for condition in filter(self._is_ours, self.options.markets):
            watermark, newest = self.due.market_watermarks.get(condition, (None, None))
            reading = self.venue.market_reading(condition, self._start(condition, watermark, newest))
            readings.append(replace(reading, listener=self._note_conditions))
        size = self.venue.settings.walks_per_load
        self._take(Package.of(readings[start : start + size]) for start in range(0, len(readings), size))

    def _conditions(self) -> list[str]:
        """The markets to look up: those that this run's rows name, then those that are due."""
        # A run that was stopped has loaded rows and not got as far as their markets.
        named = dict.fromkeys([*self._named, *filter(self._is_ours, self.due.named)])
        if self._is_narrow:
            return [*named, *(condition for condition in self.options.markets if condition not in named)]
        due = [one for one in self.due.condition_ids if one not in named and self._is_ours(one)]
        due = [one for one in due if self._is_due(self.due.markets_due_at.get(one))]
        if self.options.is_incremental:
            # Each batch is asked for in every variant, and its events likewise.
            look_ups = self.venue.look_ups
            requests = sum(len(look_up.variants) for look_up in look_ups)
            batches = max(1, (self._due_requests - self._settlement_requests) // requests)
            due = due[: batches * look_ups[0].batch_size]
        return [*named, *due]

    def _is_due(self, due_at: datetime | None) -> bool:
        """By the venue's clock, as far as this run has heard it."""
        return due_at is None or self._venue_time is None or due_at <= self._venue_time

    @property
    def _due_requests(self) -> int:
        return self.venue.settings.due_requests

    @property
    def _settlement_requests(self) -> int:
        return max(1, self._due_requests // SETTLEMENT_SHARE)

    def _look_up_all(self, ids: Sequence[str]) -> None:
        """Markets and their events, a package holding both: no market is committed without its event."""
        self.tally.phase = "markets"
        size = self.venue.look_ups[0].batch_size * LOOK_UPS_PER_LOAD
        self._take(self._look_up_package(batch) for batch in chunks(ids, size))

    def _look_up_package(self, ids: Sequence[str]) -> Package:
        state = _LookedUp(self, list(ids))
        stages = [
            partial(state.readings, look_up, variant, number == 0)
            for look_up in self.venue.look_ups
            for number, variant in enumerate(look_up.variants)
        ]
        return Package([*stages, state.end])

    def _take_settlements(self) -> None:
        self.tally.phase = "resolutions"
        readings = self.venue.settlement_readings([one for one in self.due.settlements if self._is_ours(one)])
        if self.options.is_incremental:
            readings = (reading for _, reading in zip(range(self._settlement_requests), readings, strict=False))
        self._take([Package.of(readings)])

    def _take_accounts(self, wallets: Sequence[str]) -> None:
        """What the venue makes of the positions of this run's wallets, as far as it is due."""
        self.tally.phase = "positions"
        following = set(wallets)
        accounts = [wallet for wallet in self.due.accounts if wallet in following]
        of_feed = [wallet for wallet in accounts if wallet in self._of_feed]
        left_out = set(of_feed[ACCOUNTS_OF_FEED:])
        accounts = [wallet for wallet in accounts if wallet not in left_out]
        self._take(
            Package.of([reading for wallet in batch for reading in self.venue.account_readings(wallet)])
            for batch in chunks(accounts, max(1, self.venue.settings.walks_per_load // 2))
        )

    # -- shared

    def _take(self, packages: Iterable[Package]) -> None:
        self.sink.take_packages(self._walker(), self._until_stopped(packages))

    def _until_stopped(self, packages: Iterable[Package]) -> Iterator[Package]:
        for package in packages:
            if self.stop.is_set():
                return
            yield Package([partial(self._stage_until_stopped, stage) for stage in package.stages])

    def _stage_until_stopped(self, stage: Stage) -> Iterator[Reading]:
        for reading in stage():
            if self.stop.is_set():
                return
            yield reading

    def _walk(self, reading: Reading) -> list[NamedTable]:
        """Carries out one reading here and now; its tables, last the walk's record."""
        return list(self._walker().walk(reading))

    def _walker(self) -> Walker:
        return Walker(self.run_id, self._note_walk, self.stop)

    def _note_walk(self, reading: Reading, record: WalkRecord) -> None:
        self.tally.note_walk(reading, record)
        with self._lock:
            self._venue_time = max(filter(None, (self._venue_time, record.venue_time)), default=None)

    def _note_conditions(self, rows: Sequence[msgspec.Raw], keys: Mapping[str, Sequence[str | None]]) -> None:
        with self._lock:
            self._named.update(dict.fromkeys(filter(None, keys["condition_id"])))

    def _record(self) -> pa.Table:
        trades, activity = self.venue.wallet_tables
        return self.tally.record(
            self.run_id,
            self.options.command,
            self.started_at,
            is_stopped=self.stop.is_set(),
            wallets=self.tally.wallets_done,
            requests=self.venue.requests_made,
            trades_table=trades,
            activity_table=activity,
        )


@dataclass(slots=True)
class _LookedUp:
    """One package of look-ups: which ids are still missing, and what the rows name for the look-up after."""

    run: Run
    ids: list[str]
    _found: set[str] = field(default_factory=set)
    _named: dict[str, None] = field(default_factory=dict)
    _table: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def readings(self, look_up: LookUp, variant: str, is_first: bool) -> Iterator[Reading]:
        """Asks for what no earlier variant has returned."""
        if is_first and self._table:
            named = list(self._named)
            self._close()
            self.ids = named
        self._table = look_up.table.name
        missing = [id_ for id_ in self.ids if id_ not in self._found]
        for batch in chunks(missing, look_up.batch_size):
            yield replace(look_up.reading(batch, variant), listener=partial(self._note, look_up))

    def end(self) -> Iterator[Reading]:
        self._close()
        return iter(())

    def _close(self) -> None:
        if self._table == "markets":
            self.run.tally.unlisted_markets += len(set(self.ids) - self._found)
        self._found, self._named = set(), {}

    def _note(self, look_up: LookUp, rows: list[msgspec.Raw], keys: Mapping[str, Sequence[str | None]]) -> None:
        with self._lock:
            self._found.update(filter(None, keys[look_up.id_column]))
            self._named.update(dict.fromkeys(look_up.names(rows)))


class _FeedWatch:
    """Reads the venue's feed for the wallets that trade, as long as that is cheaper than asking every wallet.

    `resting` are the wallets that need no walk unless the feed names them; `refusal` says why it cannot be relied on.
    """

    def __init__(self, feed: Reading, wallets: Sequence[DueWallet], requests_per_wallet: int) -> None:
        self.resting = tuple(wallets)
        self.named: set[str] = set()
        self.pages = 0
        self.refusal: str | None = None
        self.has_ended = False
        self._feed = feed
        self._requests_per_wallet = requests_per_wallet
        self._start = datetime.now(UTC)

    def reading(self) -> Reading:
        return replace(self._feed, pages=self._pages, listener=self._note)

    def _note(self, rows: list[msgspec.Raw], keys: Mapping[str, Sequence[str | None]]) -> None:
        wallets, times = keys[next(iter(self._feed.table.keys))], keys[self._feed.time_key or ""]
        self.named.update(
            wallet.lower()
            for wallet, time in zip(wallets, times, strict=True)
            # What cannot be read as a time may be new.
            if wallet and (not seconds([time]) or seconds([time])[0] >= self._start.timestamp())
        )

    def _pages(self) -> Iterator[Page]:
        for page in self._feed.pages():
            self.pages += 1
            if self.pages == 1:
                self._begin(page)
            most = len(self.resting) * self._requests_per_wallet
            if page.cursor is not None and self.pages >= most:
                self.refusal = f"the feed would take more than the {most:,} requests that the wallets take"
            if self.refusal is not None:
                yield replace(page, cursor=None)
                return
            yield page
        self.has_ended = True

    def _begin(self, page: Page) -> None:
        """Leaves out the wallets that are due by the venue's clock, and judges the feed's length by its first page."""
        now, start = page.venue_time, self._feed.bound_from
        if now is None:
            self.refusal = "the feed does not tell its time"
            return
        self.resting = tuple(wallet for wallet in self.resting if wallet.due_at is not None and wallet.due_at > now)
        if start is None:
            start = now - FIRST_LOOK_BACK
            # Nobody has read the feed before: it tells nothing of wallets that were last read earlier.
            self.resting = tuple(wallet for wallet in self.resting if wallet.is_known_since(start))
        self._start = start
        if not self.resting:
            self.refusal = "all wallets are due"
            return
        times = seconds(self._feed.table.keys_of(page.rows)[self._feed.time_key or ""])
        if page.cursor is not None and times:
            pages = (max(times) - start.timestamp()) / max(max(times) - min(times), 1)
            if pages > len(self.resting) * self._requests_per_wallet:
                self.refusal = f"the feed has about {pages:,.0f} new pages, more than the wallets take"


def _note_addresses(
    found: dict[str, None], column: str, rows: list[msgspec.Raw], keys: Mapping[str, Sequence[str | None]]
) -> None:
    found.update((wallet.lower(), None) for wallet in keys[column] if wallet and ADDRESS.fullmatch(wallet))
