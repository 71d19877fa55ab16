"""`ingest`: fills per second of the client's processor time, from HTTP page to committed DuckDB row."""

from __future__ import annotations

from pathlib import Path

from benchmarks.figures import Benchmark, Figure, Say
from benchmarks.measure import median, run_client, temporary_folder
from benchmarks.sizes import Sizes
from benchmarks.venue import PAGE_ROWS, RunningVenue, served

TARGET = 30_000


def run(sizes: Sizes, say: Say) -> Benchmark:
    wallets, pages = sizes.ingest_wallets, sizes.ingest_pages
    extracted: list[float] = []
    straight: list[float] = []
    with served(wallets, pages) as venue:
        for number in range(sizes.repeats):
            say(f"{venue.fills:,} fills, run {number + 1} of {sizes.repeats}")
            extracted.append(fills_per_cpu_second("extract", venue))
            straight.append(fills_per_cpu_second("straight_from_memory", venue))
    measured = median(extracted)
    return Benchmark(
        "ingest",
        (
            Figure(
                "fills per client CPU second",
                measured,
                median(straight),
                "/s",
                f">= {TARGET:,}",
                measured >= TARGET,
            ),
        ),
        (
            f"Median of {sizes.repeats} runs of {wallets * pages * PAGE_ROWS:,} distinct fills of {wallets} wallets in "
            f"pages of {PAGE_ROWS:,}; slowest {min(extracted):,.0f}, fastest {max(extracted):,.0f}.",
            "Limit: the same bodies in memory, parsed, written as Parquet, copied into DuckDB. "
            "User and system time of the client, start-up and imports left out.",
        ),
    )


def fills_per_cpu_second(task: str, venue: RunningVenue) -> float:
    with temporary_folder() as folder:
        result = run_client(
            task,
            {"wallets": venue.wallets, "pages": venue.pages_per_wallet},
            venue.environment() | own_warehouse(folder),
        ).result
    if result["fills"] != venue.fills:
        raise RuntimeError(f"{task} committed {result['fills']:,} of {venue.fills:,} fills")
    return float(result["fills"] / result["cpu_seconds"])


def own_warehouse(folder: Path) -> dict[str, str]:
    """Settings that keep a client's warehouse and working folders inside `folder`."""
    return {
        "DESTINATION__DUCKDB__CREDENTIALS": str(folder / "warehouse.duckdb"),
        "PIPELINES_DIR": str(folder / "pipelines"),
        "DLT_DATA_DIR": str(folder / "dlt"),
    }
