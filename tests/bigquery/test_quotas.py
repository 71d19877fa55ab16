"""A day of 48 runs beside a backfill of 6,605 wallets stays under half of BigQuery's limits, table by table.

Load packages are counted by letting the extractor's own run make them, with a venue of that many wallets. What a
package costs BigQuery (one load job per table in it, one row in dlt's table of loads) is seen in `test_loading`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pyarrow as pa
import pytest

from extract.packages import NamedTable, Package
from extract.polymarket import Polymarket
from extract.run import Due, DueWallet, Options, Run
from extract.walks import Walker

WALLETS = [f"0x{number:040x}" for number in range(6605)]
RUNS_PER_DAY = 48
#: Load jobs, and with them statements that change a table, per table and day.
LOADS_PER_TABLE = 1500
LOADS_PER_PROJECT = 100_000
#: Partitions changed per column-partitioned table and day.
PARTITIONS_PER_TABLE = 30_000
#: Days that a load job can touch: that of the fetch, and the next where a run goes through midnight.
PARTITIONS_PER_LOAD = 2


@dataclass
class CountingSink:
    """Counts load jobs per raw table as a package of these readings would cause them, and answers for the venue."""

    loads: Counter[str] = field(default_factory=Counter)
    packages: int = 0

    def take_packages(self, walker: Walker, packages: Iterable[Package]) -> None:
        for package in packages:
            tables = {"walks"}
            for reading in (reading for stage in package.stages for reading in stage()):
                tables.add(reading.table.name)
                # Every wallet names a market of its own, every market an event.
                rows = [msgspec.Raw(b'{"events": [{"id": "%d"}]}' % self.packages)]
                keys = {column: [f"0x{len(tables)}-{reading.scope}"] for column in reading.table.keys}
                if reading.listener is not None:
                    reading.listener(rows, cast(Any, keys))
            self.take_tables((table, pa.table({})) for table in tables)

    def take_tables(self, tables: Iterable[NamedTable]) -> None:
        self.loads.update({name for name, _ in tables})
        self.packages += 1


def counted(due: Due, **options: Any) -> CountingSink:
    venue, sink = Polymarket(), CountingSink()
    with pytest.MonkeyPatch.context() as patch:
        # The boards name wallets that are known.
        patch.setattr(venue, "discovery", lambda count: [])
        try:
            Run(venue, Options(command="run", **options), due, sink).execute()
        finally:
            venue.close()
    return sink


def test_a_day_of_runs_and_a_backfill_stay_under_half_of_every_limit() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    known = {table: (now, now) for table in Polymarket.wallet_tables}
    everything = Due(
        wallets=tuple(DueWallet(wallet, known) for wallet in WALLETS),
        condition_ids=tuple(f"0x{number:064x}" for number in range(20_000)),
    )
    run = counted(replace(everything, settlements=tuple(WALLETS[:100])))
    # Standings of every wallet once a day.
    standings = counted(replace(everything, accounts=tuple(WALLETS)))
    backfill = counted(Due(), wallets=tuple(WALLETS))
    tables = run.loads.keys() | standings.loads.keys() | backfill.loads.keys()
    assert {"trades", "activity", "markets", "events", "walks", "runs"} <= tables
    day = {
        table: (RUNS_PER_DAY - 1) * run.loads[table] + standings.loads[table] + backfill.loads[table]
        for table in tables
    }
    day["_dlt_loads"] = (RUNS_PER_DAY - 1) * run.packages + standings.packages + backfill.packages
    assert {table: count for table, count in day.items() if count >= LOADS_PER_TABLE / 2} == {}
    assert sum(day.values()) < LOADS_PER_PROJECT / 2
    assert max(day.values()) * PARTITIONS_PER_LOAD < PARTITIONS_PER_TABLE / 2


def test_packages_hold_few_histories_and_many_walks_that_go_on() -> None:
    walks_per_load = Polymarket().settings.walks_per_load
    assert counted(Due(), wallets=tuple(WALLETS)).loads["trades"] == -(-2 * len(WALLETS) // walks_per_load)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    half_known = {"trades": (now, now), "activity": (None, None)}
    for coverage, per_package in ((half_known, 1), (dict.fromkeys(half_known, (now, now)), 10)):
        due = Due(wallets=tuple(DueWallet(wallet, cast(Any, coverage)) for wallet in WALLETS))
        assert counted(due, wallets=tuple(WALLETS)).loads["trades"] == -(
            -2 * len(WALLETS) // (walks_per_load * per_package)
        )
