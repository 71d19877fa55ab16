"""Sixty days at five venues in one warehouse: read, killed and read on, then built; once for all of test_venues.py.

At `EARLY` the exchanges are observed. At `KILLED_AT` observations are killed. At `NOW` the ranges of Kalshi and
Polymarket are read, killed again and again, and everything else is observed; a first build comes in the middle of it.
At `LATER` Kalshi and PredictIt are read once more, and everything is built and tested.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from extract.price_venue import Window, windows_between
from tests.conftest import BIN, ROOT
from tests.replica.server import RunningReplica, serve
from tests.replica.venues import PATHS, betfair, kalshi, predictit, smarkets
from tests.replica.venues.betfair_world import BetfairWorld
from tests.replica.venues.kalshi_world import KalshiWorld
from tests.replica.venues.predictit import PredictItWorld
from tests.replica.venues.questions import DAY, HOUR, build_questions
from tests.replica.venues.smarkets_world import SmarketsWorld
from tests.replica.world import build_world
from tests.warehouse.conftest import SOAK, WITHOUT_TESTS, Warehouse, checked

Row = dict[str, Any]

ENDS_AT = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
START = ENDS_AT - 60 * DAY
#: Some markets close between two of these moments, some are decided.
EARLY, KILLED_AT, NOW = ENDS_AT - 12 * DAY + 600, ENDS_AT - 5 * DAY, ENDS_AT + 600
LATER = ENDS_AT + 44 * DAY + 12 * HOUR + 20 * 60
#: What a run of Kalshi reads again before the end of the one before it.
OVERLAP = 2 * DAY
WINDOW = timedelta(days=3)

QUESTIONS = build_questions(seed=5, count=30, ends_at=ENDS_AT)
KALSHI = KalshiWorld(QUESTIONS[:10], ENDS_AT)
PREDICTIT = PredictItWorld(QUESTIONS[:10], ENDS_AT)
SMARKETS = SmarketsWorld(QUESTIONS, ENDS_AT)
BETFAIR = BetfairWorld(QUESTIONS, ENDS_AT)
POLYMARKET = build_world(seed=11, wallets=6, markets=15, fills=400, days=75)
#: Age of Smarkets' prices without an account, in seconds.
DELAY = smarkets.Manners().delay

OBSERVED = ("smarkets", "betfair", "predictit")
RANGE = ("--from", datetime.fromtimestamp(START, UTC).isoformat(), "--window", "3d")
#: Small packages: much is committed before a run is killed.
FEW = ("--workers", "1")
#: Per venue, how often its run is killed, and the most requests that it has made by then.
KILLS = dict.fromkeys(OBSERVED, 1) | {"kalshi": 2, "polymarket": 1}
MOST_REQUESTS = {"predictit": 1, "smarkets": 4, "betfair": 4, "kalshi": 90, "polymarket": 90}
if SOAK:
    KILLS = dict.fromkeys(OBSERVED, 6) | {"kalshi": 20, "polymarket": 5}
    MOST_REQUESTS |= {"kalshi": 30, "polymarket": 20}

#: What a build between two runs needs.
TABLES = (
    "+markets",
    "+contracts",
    "+price_snapshots",
    "+trades",
    "+sync_checkpoints",
    "+outcomes_needing_sync",
    "+prices_needing_sync",
)


@dataclass
class Built:
    """The warehouse in the end. `read_at`: per venue, the real times around each whole run and what the venue's clock
    showed; `killed`: the same of runs that were killed."""

    warehouse: Warehouse
    replica: RunningReplica
    read_at: dict[str, list[tuple[datetime, datetime, int]]] = field(default_factory=dict)
    killed: dict[str, list[tuple[datetime, datetime, int]]] = field(default_factory=dict)
    printed: dict[str, list[str]] = field(default_factory=dict)

    def rows(self, table: str, condition: str = "true") -> list[Row]:
        return self.warehouse.rows(f"{table} where {condition}")

    def raw(self, venue: str, table: str, columns: str) -> list[tuple[Any, ...]]:
        """Rows of a raw table, of committed loads alone; none where there is no such table yet."""
        loads = f"select load_id from raw_{venue}._dlt_loads where status = 0"
        try:
            return self.warehouse.project.query(
                f"select {columns} from raw_{venue}.{table} where _dlt_load_id in ({loads})"
            )
        except duckdb.CatalogException:
            return []

    def snapshots(self, venue: str, run: int) -> dict[str, Row]:
        """What was observed in a whole run, by contract."""
        found = self.observed(venue, *self.read_at[venue][run][:2])
        assert len({row["contract_id"] for row in found}) == len(found)
        return {row["contract_id"]: row for row in found}

    def observed(self, venue: str, first: datetime, last: datetime) -> list[Row]:
        rows = self.rows("price_snapshots", f"venue = '{venue}' and fidelity = 'observed'")
        return [row for row in rows if first <= row["snapshot_time"].replace(tzinfo=UTC) <= last]

    # -- how it comes to be

    def read(self, venue: str, *arguments: str, code: int = 0) -> str:
        before = datetime.now(UTC)
        printed = fetch(self.warehouse, venue, *arguments, code=code)
        self.read_at.setdefault(venue, []).append((before, datetime.now(UTC), self.replica.clock.now()))
        self.printed.setdefault(venue, []).append(printed)
        return printed

    def kill(self, venue: str, chance: random.Random, *arguments: str, least: int = 1) -> None:
        """Runs a venue and kills the process at a moment between its first request and its end."""
        before = datetime.now(UTC)
        requests = len(self.replica.requests) + chance.randint(least, MOST_REQUESTS[venue])
        process = subprocess.Popen(
            [str(BIN / "dlt"), "pipeline", venue, "run", *arguments],
            cwd=ROOT,
            env=self.warehouse.project.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while process.poll() is None and len(self.replica.requests) < requests:
            time.sleep(0.005)
        # Between two requests pages are normalized and loaded, too.
        time.sleep(chance.uniform(0, 0.3))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            self.killed.setdefault(venue, []).append((before, datetime.now(UTC), self.replica.clock.now()))
        process.wait()

    def build(self, *arguments: str) -> None:
        checked(self.warehouse.project.dbt("--quiet", "build", *arguments), 0)


def pointed_at(folder: Path, replica: RunningReplica) -> Warehouse:
    warehouse = Warehouse.in_folder(folder, replica)
    account = betfair.Manners()
    warehouse.project.environment.update({name: replica.url + path for name, path in PATHS.items()})
    warehouse.project.environment.update(
        {
            "SOURCES__KALSHI__OVERLAP": str(OVERLAP),
            "SOURCES__BETFAIR__USERNAME": account.username,
            "SOURCES__BETFAIR__PASSWORD": account.password,
            "SOURCES__BETFAIR__APP_KEY": account.app_key,
            "SOURCES__BETFAIR__EVENT_TYPES": "Politics,Special Bets",
        }
    )
    for venue in ("KALSHI", "PREDICTIT", "SMARKETS", "BETFAIR"):
        warehouse.project.environment[f"SOURCES__{venue}__REQUESTS_PER_SECOND"] = "2000"
    return warehouse


def fetch(warehouse: Warehouse, venue: str, *arguments: str, code: int = 0) -> str:
    return checked(warehouse.project.dlt(venue, "run", *arguments), code)


@contextmanager
def filled(folder: Path, check: Callable[[Built], None]) -> Iterator[Built]:
    """The warehouse of the story above. `check` is called after each kill of a range that was half read."""
    mounts = (
        kalshi.mount(kalshi.Synthetic(KALSHI)),
        predictit.mount(PREDICTIT),
        smarkets.mount(SMARKETS, smarkets.Manners(limit=100_000)),
        betfair.mount(BETFAIR),
    )
    with serve(POLYMARKET, EARLY, mounts=mounts) as replica:
        built = Built(pointed_at(folder, replica), replica)
        chance = random.Random(19)
        for venue in ("smarkets", "betfair"):
            built.read(venue)
        for venue in OBSERVED:
            for place in range(KILLS[venue]):
                replica.clock.set(KILLED_AT + place * HOUR)
                built.kill(venue, chance)

        replica.clock.set(NOW)
        # Late enough that windows were planned, and some of them read.
        built.kill("kalshi", chance, *RANGE, *FEW, least=29)
        (folder / "wallets.txt").write_text("\n".join(POLYMARKET.wallets))
        built.read("polymarket", "--wallets", str(folder / "wallets.txt"))
        built.build("--select", *TABLES, *WITHOUT_TESTS)
        check(built)
        for _ in range(KILLS["kalshi"] - 1):
            built.kill("kalshi", chance, *RANGE, *FEW)
            check(built)
        built.read("kalshi", *RANGE)
        for _ in range(KILLS["polymarket"]):
            built.kill("polymarket", chance, *RANGE, *FEW, least=1 if SOAK else 50)
            check(built)
        built.read("polymarket", *RANGE)
        for venue in OBSERVED:
            built.read(venue)

        replica.clock.set(LATER)
        for venue in ("kalshi", "predictit"):
            built.read(venue)
        built.build("--exclude-resource-type", "unit_test")
        check(built)
        yield built


def planned_windows() -> list[Window]:
    """The windows of the range."""
    return windows_between(moment(START), moment(NOW), WINDOW)


def moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def utc(epoch: int) -> datetime:
    """As DuckDB gives it."""
    return moment(epoch).replace(tzinfo=None)


def epoch(time: datetime) -> int:
    return int(time.replace(tzinfo=UTC).timestamp())


def contract_id(row: Any) -> str:
    if hasattr(row, "selection_id"):
        return f"betfair:{row.market_id}:{row.selection_id}"
    return f"smarkets:{row.contract_id}"


def listed_at(opens_at: int, decided_at: int, times: Sequence[int] = (EARLY, NOW)) -> bool:
    """Whether a run could see the market while it was not decided."""
    return any(opens_at - DAY <= now < decided_at for now in times)


def answers(folder: Path) -> Iterable[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.json")) if "openapi" not in path.name]
