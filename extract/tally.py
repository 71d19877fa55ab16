"""What a run counts, and the row that it leaves in the raw table `runs`."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa

from extract.walks import Reading, WalkRecord

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
    notes: list[str] = field(default_factory=list)
    unlisted_markets: int = 0
    phase: str = "starting"
    _open_walks: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def wallets_left(self) -> int:
        return self.wallets_total - self.wallets_done - len(self.failed_wallets)

    def expect_wallet(self, wallet: str, walks: int) -> None:
        self._open_walks[wallet] = walks

    def note_walk(self, reading: Reading, record: WalkRecord) -> None:
        with self._lock:
            self.walks += 1
            table = reading.table.name
            if reading.is_kept:
                self.rows[table] = self.rows.get(table, 0) + record.row_count
            if record.status == "failed":
                self.walks_failed += 1
                self.failures.setdefault(record.error or "", []).append(f"{table} of {reading.scope[:80]}")
            if reading.scope in self._open_walks:
                self._note_wallet(reading.scope, record)

    def _note_wallet(self, wallet: str, record: WalkRecord) -> None:
        if record.status == "failed":
            self.failed_wallets.add(wallet)
        if record.status == "interrupted":
            return
        self._open_walks[wallet] -= 1
        if self._open_walks[wallet] == 0:
            del self._open_walks[wallet]
            self.wallets_done += wallet not in self.failed_wallets

    def record(
        self,
        run_id: str,
        command: str,
        started_at: datetime,
        *,
        is_stopped: bool,
        requests: int,
        wallets: int = 0,
        trades_table: str = "trades",
        activity_table: str = "activity",
    ) -> pa.Table:
        """The run's row of the raw table `runs`, as it ends now."""
        ended_at = datetime.now(UTC)
        row = {
            "run_id": run_id,
            "command": command,
            "status": "interrupted" if is_stopped else "failed" if self.walks_failed else "completed",
            "error": next(iter(self.failures), None),
            "wallets": wallets,
            "wallets_failed": len(self.failed_wallets),
            "walks": self.walks,
            "walks_failed": self.walks_failed,
            "requests": requests,
            "trades_fetched": self.rows.get(trades_table, 0),
            "activity_fetched": self.rows.get(activity_table, 0),
            "markets_fetched": self.rows.get("markets", 0),
            "events_fetched": self.rows.get("events", 0),
            "started_at": started_at,
            "ended_at": ended_at,
            "duration_ms": int((ended_at - started_at).total_seconds() * 1000),
        }
        return pa.table({name: pa.array([row[name]], type_) for name, type_ in RUN_COLUMNS.items()})
