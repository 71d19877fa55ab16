"""`whale`: a million fills of one wallet, and a wallet with one, against as many fills of thousands of wallets."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.build import WITHOUT_TESTS, Built, DbtProject
from benchmarks.figures import Benchmark, Figure, Say
from benchmarks.measure import temporary_folder
from benchmarks.raw_rows import RawWarehouse
from benchmarks.sizes import Sizes

MINNOW = "0x" + "1" * 40


@dataclass(frozen=True)
class Builds:
    """What one warehouse took, and its scores over all categories and all time: wallet, status, resolved markets."""

    full: Built
    increment: Built
    ledger_rows: int
    scores: dict[str, tuple[str, int]]


def built(sizes: Sizes, say: Say, wallets: int) -> Builds:
    """Builds the fills of `wallets` wallets, with a wallet of one fill, then what half an hour brings."""
    with temporary_folder() as folder:
        project = DbtProject(folder)
        raw = RawWarehouse(project.warehouse, sizes.build_fills, wallets=wallets)
        say(f"{sizes.build_fills:,} fills of {wallets:,} wallets into the raw tables")
        raw.first_load()
        add_minnow(project.warehouse)
        project.dbt("parse")
        say("dbt build in full")
        full = project.build(*WITHOUT_TESTS)
        raw.further_load(1, sizes.increment_fills)
        say("dbt build, increment")
        increment = project.build(*WITHOUT_TESTS)
        with duckdb.connect(str(project.warehouse), read_only=True) as connection:
            (ledger_rows,) = connection.execute("select count(*) from raw_polymarket.activity").fetchall()[0]
            scores = connection.execute(
                "select wallet_address, omega_status, resolved_markets from polyomega.wallet_scores "
                "where period = 'all'"
            ).fetchall()
    return Builds(full, increment, ledger_rows, {wallet: (status, markets) for wallet, status, markets in scores})


def add_minnow(file: Path) -> None:
    """A wallet of one row: the oldest purchase of all, under an address of its own."""
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "create temp table oldest as select transaction_hash, proxy_wallet from raw_polymarket.trades "
            "where side = 'BUY' order by cast(\"timestamp\" as bigint), transaction_hash limit 1"
        )
        for table in ("trades", "activity"):
            connection.execute(
                f"""
                insert into raw_polymarket.{table}
                select * replace (
                    '{MINNOW}' as proxy_wallet, replace(payload, proxy_wallet, '{MINNOW}') as payload,
                    'minnow {table}' as walk_id, 0 as walk_position
                )
                from raw_polymarket.{table} where transaction_hash = (select transaction_hash from oldest)
                """
            )
            connection.execute(
                f"""
                insert into raw_polymarket.walks
                select * replace ('{MINNOW}' as scope, 'minnow {table}' as walk_id, 1 as row_count)
                from raw_polymarket.walks
                where resource = '{table}' and scope = (select proxy_wallet from oldest) limit 1
                """
            )


def run(sizes: Sizes, say: Say) -> Benchmark:
    whale = built(sizes, say, wallets=1)
    # Of all processes waited for so far; those of the crowd come later.
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    crowd = built(sizes, say, wallets=RawWarehouse.wallets)
    minnow = whale.scores.pop(MINNOW)
    ((status, markets),) = whale.scores.values()
    if (minnow[1], status) != (1, "ok"):
        raise RuntimeError(f"the wallets are scored {minnow} and {(status, markets)}")
    return Benchmark(
        "whale",
        (
            Figure(f"{sizes.build_fills:,} fills of one wallet in full", whale.full.seconds, crowd.full.seconds),
            Figure(f"{sizes.increment_fills:,} new fills of it", whale.increment.seconds, crowd.increment.seconds),
            Figure("highest resident memory of a build", memory, None, "MB"),
        ),
        (
            f"{whale.ledger_rows:,} ledger rows of one wallet, {markets:,} resolved markets, status `{status}`; beside "
            f"it a wallet with one fill, {minnow[1]} resolved market, status `{minnow[0]}`. Limit: as many fills of "
            f"{RawWarehouse.wallets:,} wallets. Models alone.",
            f"Slowest nodes in full: {whale.full.slowest}.",
            f"Of the increment: {whale.increment.slowest}.",
        ),
    )
