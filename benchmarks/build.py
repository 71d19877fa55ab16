"""`build`: seconds of `dbt build` at a million fills, in full, for ten thousand new ones, and for nothing new."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.figures import Benchmark, Figure, Say
from benchmarks.measure import ROOT, median, temporary_folder
from benchmarks.raw_rows import RawWarehouse
from benchmarks.sizes import Sizes

TARGET_SHARE = 0.15
WITHOUT_TESTS = ("--exclude-resource-type", "test", "unit_test")
HALF_HOURLY = ("--selector", "half_hourly")
#: A warehouse of wallets, without the other venues' prices.
WALLETS_ALONE = ("--vars", "price_venues: []")
NODES_NAMED = 6


@dataclass(frozen=True)
class Built:
    """One `dbt build`: seconds by the clock, and per node the seconds that dbt gives for it."""

    seconds: float
    nodes: Mapping[str, float]

    @property
    def slowest(self) -> str:
        """The nodes that took longest, as text. Two run at a time, so that they add up to more than the whole."""
        worst = sorted(self.nodes.items(), key=lambda node: -node[1])[:NODES_NAMED]
        return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in worst)


@dataclass(frozen=True)
class DbtProject:
    """The checkout's dbt project with a warehouse, a profile and output folders in `folder`.

    Args:
        variables: arguments for every command of dbt.
    """

    folder: Path
    variables: Sequence[str] = ()

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    def build(self, *arguments: str) -> Built:
        """Runs `dbt build`."""
        start = time.perf_counter()
        self.dbt("build", *arguments)
        seconds = time.perf_counter() - start
        results = json.loads((self.folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
        nodes = {result["unique_id"].split(".", 2)[2]: float(result["execution_time"]) for result in results}
        return Built(seconds, nodes)

    def dbt(self, command: str, *arguments: str) -> None:
        """Runs a dbt command.

        Raises:
            RuntimeError: it failed; the message is the end of what it printed.
        """
        profiles = self.folder / "profiles"
        profiles.mkdir(exist_ok=True)
        shutil.copy(ROOT / "profiles.yml.example", profiles / "profiles.yml")
        process = subprocess.run(
            [str(Path(sys.executable).parent / "dbt"), command, "--quiet", *self.variables, *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "DBT_TARGET": "duckdb",
                "DESTINATION__DUCKDB__CREDENTIALS": str(self.warehouse),
                "DBT_PROFILES_DIR": str(profiles),
                "DBT_TARGET_PATH": str(self.folder / "target"),
                "DBT_LOG_PATH": str(self.folder / "logs"),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            raise RuntimeError(f"dbt {command} failed:\n{(process.stdout + process.stderr)[-4000:]}")

    def count(self, table: str) -> int:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            row = connection.execute(f"select count(*) from {table}").fetchone()
        return int(row[0]) if row else 0


@contextmanager
def loaded_project(fills: int, variables: Sequence[str] = ()) -> Iterator[tuple[DbtProject, RawWarehouse]]:
    """A project whose raw tables hold `fills` fills, and nothing built yet."""
    with temporary_folder() as folder:
        project = DbtProject(folder, variables)
        raw = RawWarehouse(project.warehouse, fills)
        raw.first_load()
        # Reading the project's files is no part of any build that is measured: dbt keeps what it read.
        project.dbt("parse")
        yield project, raw


@dataclass(frozen=True)
class Series:
    """A full build of one warehouse, then builds with nothing new, then increments; and the seconds of an increment of
    a warehouse without a row, which no number of fills can save."""

    full: Built
    nothing: Sequence[Built]
    increments: Sequence[Built]
    empty: float

    @property
    def increment(self) -> Built:
        """The one of median length."""
        return sorted(self.increments, key=lambda build: build.seconds)[len(self.increments) // 2]

    def figures(self, name: str, sizes: Sizes) -> list[Figure]:
        full, increment = self.full.seconds, self.increment.seconds
        idle = median([build.seconds for build in self.nothing])
        target = f"<= {TARGET_SHARE:.0%} of full"
        return [
            Figure(f"{name}, {sizes.build_fills:,} fills in full", full),
            Figure(
                f"{name}, {sizes.increment_fills:,} new fills",
                increment,
                full,
                "s",
                target,
                increment <= TARGET_SHARE * full,
            ),
            Figure(f"{name}, nothing new", idle, full),
            Figure(f"{name}, an empty warehouse", self.empty, full),
        ]


def series(sizes: Sizes, say: Say, variables: Sequence[str] = ()) -> Series:
    """Builds a new warehouse in full, then increments, and checks that every fill of every load is in `trades` once."""
    say(f"{sizes.build_fills:,} fills into the raw tables")
    with loaded_project(sizes.build_fills, variables) as (project, raw):
        say("dbt build in full")
        full = project.build()
        say("dbt build with nothing new")
        nothing = [project.build(*HALF_HOURLY) for _ in range(sizes.repeats)]
        increments = []
        for number in range(1, sizes.increments + 1):
            raw.further_load(number, sizes.increment_fills)
            say(f"dbt build, increment {number} of {sizes.increments}")
            increments.append(project.build(*HALF_HOURLY))
        fills = project.count("polyomega.trades")
    expected = sizes.build_fills + sizes.increments * sizes.increment_fills
    if fills != expected:
        raise RuntimeError(f"{fills:,} fills were built instead of {expected:,}")
    say("dbt build of an empty warehouse")
    with temporary_folder() as folder:
        project = DbtProject(folder, variables)
        project.build()
        empty = project.build(*HALF_HOURLY).seconds
    return Series(full, nothing, increments, empty)


def run(sizes: Sizes, say: Say) -> Benchmark:
    every = series(sizes, say)
    alone = series(sizes, say, WALLETS_ALONE)
    return Benchmark(
        "build",
        (*every.figures("dbt build", sizes), *alone.figures("Polymarket and Dome alone", sizes)),
        (
            f"In full: `dbt build` as it stands, with data and unit tests, {len(every.full.nodes)} nodes."
            f" Increments: `dbt build --selector half_hourly`, {len(every.increment.nodes)} nodes. Polymarket and Dome"
            f" alone: the same with `price_venues: []`, {len(alone.full.nodes)} and {len(alone.increment.nodes)} nodes."
            f" Each fill has its ledger row; {RawWarehouse.wallets:,} wallets, {RawWarehouse.markets:,} markets."
            f" Increment: median of {sizes.increments}, each a half-hourly run that also reads a quarter of an hour"
            " again, walks every wallet and looks up every open market. The limit of an increment is the full build. An"
            " empty warehouse: what dbt itself takes for the nodes of an increment, whatever is in them.",
            f"Slowest nodes in full: {alone.full.slowest}.",
            f"Of the increment: {alone.increment.slowest}.",
        ),
    )
