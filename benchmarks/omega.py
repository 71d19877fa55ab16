"""`omega`: the models from fills to category omega, against one hand-written query over the same fills."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import duckdb

from benchmarks.build import WITHOUT_TESTS, DbtProject, loaded_project
from benchmarks.engines import INPUTS
from benchmarks.figures import Benchmark, Figure, Say
from benchmarks.measure import median, run_client
from benchmarks.sizes import Sizes

TARGET_RATIO = 1.5
RELATIVE = 1e-9
#: Every table between `trades` and `wallet_scores_by_category`, in order. Positions and profits are views in between:
#: the last one pays for them.
MODELS = ("int_position_totals", "wallet_scores_by_category")
_COMPARED = ("resolved_markets", "total_gains", "total_losses", "omega_ratio", "omega_low", "omega_high")


def run(sizes: Sizes, say: Say) -> Benchmark:
    say(f"{sizes.build_fills:,} fills into the raw tables")
    with loaded_project(sizes.build_fills) as (project, _):
        say("dbt build of what the models need")
        project.build(*WITHOUT_TESTS, "--select", "+wallet_scores_by_category")
        by_dbt: dict[str, list[float]] = {model: [] for model in MODELS}
        for number in range(sizes.repeats):
            say(f"the models, run {number + 1} of {sizes.repeats}")
            built = project.build(*WITHOUT_TESTS, "--full-refresh", "--select", *MODELS)
            for model in MODELS:
                by_dbt[model].append(built.nodes[model])
        as_sql, writing = seconds_of_sql(project, sizes.repeats)
        by_hand, notes = hand_written(project, sizes.repeats, say)
        fills = project.count("polyomega.trades")
    fastest = min(by_hand.values())
    dbt_total = sum(median(seconds) for seconds in by_dbt.values())
    target = f"<= {TARGET_RATIO} x limit"

    def is_met(seconds: float) -> bool:
        return seconds <= TARGET_RATIO * fastest

    return Benchmark(
        "omega",
        (
            Figure(
                "fills to omega, the models' SQL",
                sum(as_sql.values()),
                fastest,
                "s",
                target,
                is_met(sum(as_sql.values())),
            ),
            Figure("fills to omega, as dbt runs it", dbt_total, fastest, "s", target, is_met(dbt_total)),
            Figure("their rows written, nothing computed", writing, fastest),
            *(Figure(f"SQL of {model}", seconds) for model, seconds in as_sql.items()),
            *(Figure(f"dbt node {model}", median(seconds)) for model, seconds in by_dbt.items()),
            *(Figure(f"by hand, {engine}", seconds) for engine, seconds in by_hand.items()),
        ),
        (
            f"{fills:,} fills in `trades` to gains, losses, omega and interval of every wallet, category and period. "
            "Limit: the faster hand-written query, whose inputs are tables in its own engine and whose result is one, "
            "too. The models also keep what positions need, and tell statuses, reasons, shrunk omega and ranks. "
            "Every wallet, category and period has a row, also where nothing has resolved. "
            f"Medians of {sizes.repeats}.",
            *notes,
        ),
    )


def hand_written(project: DbtProject, repeats: int, say: Say) -> tuple[dict[str, float], list[str]]:
    """Median seconds by engine, and notes on how far the results agree with the models'."""
    with duckdb.connect(str(project.warehouse), read_only=True) as connection:
        for name, query in INPUTS.items():
            connection.execute(f"copy ({query}) to '{project.folder / name}.parquet'")
    by_hand, notes = {}, []
    for engine in ("duckdb", "clickhouse"):
        if engine == "clickhouse" and importlib.util.find_spec("chdb") is None:
            notes.append("ClickHouse was left out: chdb is not installed (`make bench` installs it).")
            continue
        say(f"the hand-written query in {engine}")
        # The first run of each also reads its tables from disk.
        arguments = {"folder": str(project.folder), "repeats": repeats + 1}
        result = run_client(engine, arguments, {}, "benchmarks.engines").result
        by_hand[engine] = median(result[1:])
        rows, wrong = disagreements(project, project.folder / f"{engine}.parquet")
        notes.append(f"{engine}: {rows:,} rows compared to a relative {RELATIVE:g}, {wrong:,} differ.")
    return by_hand, notes


def seconds_of_sql(project: DbtProject, repeats: int) -> tuple[dict[str, float], float]:
    """Median seconds of each model's compiled query, its rows written to a table of the warehouse; and of writing the
    rows of all once more, with nothing computed."""
    compiled = project.folder / "target" / "compiled"
    medians, writing = {}, 0.0
    with duckdb.connect(str(project.warehouse)) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("create schema hand")
        for model in MODELS:
            (file,) = (file for file in compiled.rglob(f"{model}.sql") if "models" in file.parts)
            query = file.read_text(encoding="utf-8")
            medians[model] = median(_written(connection, model, query, repeats))
            writing += median(_written(connection, f"{model}_again", f"select * from hand.{model}", repeats))
    return medians, writing


def _written(connection: duckdb.DuckDBPyConnection, table: str, query: str, repeats: int) -> list[float]:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        connection.execute(f"create or replace table hand.{table} as ({query})")
        seconds.append(time.perf_counter() - start)
    return seconds


def disagreements(project: DbtProject, result: Path) -> tuple[int, int]:
    """(rows compared, rows that differ). Where the project withholds the ratio, gains and losses are compared alone."""
    differs = " or ".join(
        f"abs(cast(hand.{column} as double) - cast(scores.{column} as double))"
        f" > {RELATIVE} * abs(cast(scores.{column} as double))"
        + (f" or hand.{column} is null and scores.{column} is not null" if column.startswith("omega") else "")
        for column in _COMPARED
    )
    with duckdb.connect(str(project.warehouse), read_only=True) as connection:
        row = connection.execute(
            f"""
            select
                count(*),
                count(*) filter (hand.wallet_address is null or scores.wallet_address is null or {differs})
            from (select * from polyomega.wallet_scores_by_category where resolved_markets > 0) as scores
            full join '{result}' as hand using (wallet_address, category, period)
            """
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
