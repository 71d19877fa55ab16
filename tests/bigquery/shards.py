"""A backfill in two shards that load into one BigQuery at the same time, and are killed now and then."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from google.api_core.exceptions import NotFound

from tests.bigquery.warehouse import BigQueryWarehouse
from tests.conftest import BIN, ROOT

SHARDS = ("1/2", "2/2")
#: What a run says that was through, and one that has to come again.
ENDED, TO_RESUME = 0, 3
DEADLINE = 120
Running = list[subprocess.Popen[bytes]]


@dataclass(frozen=True)
class Shards:
    """`listing` names the wallets; `moments` says when something is killed."""

    warehouse: BigQueryWarehouse
    listing: Path
    moments: random.Random

    @staticmethod
    def of(warehouse: BigQueryWarehouse, wallets: Iterable[str], seed: int) -> Shards:
        listing = warehouse.project.folder / "wallets.txt"
        listing.write_text("\n".join(wallets))
        return Shards(warehouse, listing, random.Random(seed))

    def load(self, kills: int) -> None:
        """Brings everything, with so many kills on the way: first of a shard whose package one of the other overtakes,
        then of both shards, every other time with BigQuery beneath them, at random moments."""
        running = self._with_a_package_overtaken()
        for kill in range(1, kills):
            time.sleep(self.moments.uniform(1, 7))
            if kill % 2 == 1:
                self.warehouse.emulator.kill()
                self.warehouse.emulator.start()
            # A command whose BigQuery went away may wait for minutes before it gives up: a kill of its own, too.
            _kill(running)
            running = self._both()
        for _ in range(3):
            try:
                codes = [process.wait(DEADLINE) for process in running]
            except subprocess.TimeoutExpired:
                # The local BigQuery now and then leaves a job running for ever: one more kill of all of them.
                self.warehouse.emulator.kill()
                self.warehouse.emulator.start()
                _kill(running)
                running = self._both()
                continue
            assert set(codes) <= {ENDED, TO_RESUME}, self._said()
            if codes == [ENDED, ENDED]:
                return
            running = self._both()
        raise AssertionError(f"the shards never came to an end: {self._said()}")

    def _with_a_package_overtaken(self) -> Running:
        """The first shard is killed when it has read a package that BigQuery does not take, and comes again when the
        second has committed one that began later."""
        emulator = self.warehouse.emulator
        emulator.fail({"match": "/upload/", "status": 503, "reason": "backendError", "message": "later", "times": None})
        first = self._start(SHARDS[0])
        while not emulator.request("GET", "/_emulator/faults")[0]["seen"]:
            assert first.poll() is None, self._said()
            time.sleep(0.05)
        _kill([first])
        emulator.fail()
        second = self._start(SHARDS[1])
        while not self._committed():
            assert second.poll() in (None, ENDED), self._said()
            time.sleep(0.1)
        return [self._start(SHARDS[0]), second]

    def _both(self) -> Running:
        return [self._start(shard) for shard in SHARDS]

    def _start(self, shard: str) -> subprocess.Popen[bytes]:
        with self._log(shard).open("ab") as log:
            return subprocess.Popen(
                [BIN / "dlt", "pipeline", "run", "--backfill", "--wallets", self.listing, "--shard", shard],
                cwd=ROOT,
                env=self.warehouse.project.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _log(self, shard: str) -> Path:
        return self.warehouse.project.folder / f"shard-{shard[0]}.log"

    def _said(self) -> str:
        return "\n".join(self._log(shard).read_text(encoding="utf-8") for shard in SHARDS if self._log(shard).exists())

    def _committed(self) -> int:
        try:
            [row] = self.warehouse.query("select count(*) as loads from raw_polymarket._dlt_loads where status = 0")
        except NotFound:
            return 0
        return int(row["loads"])


def _kill(running: Running) -> None:
    for process in running:
        process.kill()
        process.wait()
