"""`memory`: what the client holds in memory while millions of fills pass through it."""

from __future__ import annotations

from benchmarks.figures import Benchmark, Figure, Say
from benchmarks.ingest import own_warehouse
from benchmarks.measure import Measured, run_client, temporary_folder
from benchmarks.sizes import Sizes
from benchmarks.venue import RunningVenue, served

TARGET_MEGABYTES = 600
#: How much the median may grow from the first to the last third and still be called flat.
FLAT = 1.1


def run(sizes: Sizes, say: Say) -> Benchmark:
    pages = sizes.memory_pages
    with served(sizes.memory_wallets, pages) as venue:
        say(f"{venue.fills:,} fills through the extractor")
        extracted = watched("extract", venue)
    # What the straight way holds does not depend on how much passes, so that fewer fills will do.
    with served(sizes.memory_wallets // 5, pages) as venue:
        say(f"{venue.fills:,} fills straight to Parquet")
        straight = watched("straight_from_http", venue)
    first, last = extracted.memory.thirds
    highest, limit = extracted.memory.highest, straight.memory.highest
    growth = 100 * (last / first - 1)
    return Benchmark(
        "memory",
        (
            Figure(
                "highest resident memory",
                highest,
                limit,
                "MB",
                f"< {TARGET_MEGABYTES} MB",
                highest < TARGET_MEGABYTES,
            ),
            Figure(
                "growth, first to last third",
                growth,
                unit="%",
                target=f"<= {FLAT - 1:.0%} (flat)",
                is_met=last <= first * FLAT,
            ),
            Figure("median of the first third", first, unit="MB"),
            Figure("median of the last third", last, unit="MB"),
            Figure("time by the clock", extracted.result["seconds"]),
        ),
        (
            f"{extracted.result['fills']:,} fills of {sizes.memory_wallets:,} wallets, "
            f"{len(extracted.memory.samples):,} samples of the client and its children, one every 0.1 s; the first "
            f"tenth counts as warm-up. Limit: the same pages over HTTP, Parquet, COPY "
            f"({straight.result['fills']:,} fills).",
        ),
    )


def watched(task: str, venue: RunningVenue) -> Measured:
    with temporary_folder() as folder:
        measured = run_client(
            task,
            {"wallets": venue.wallets, "pages": venue.pages_per_wallet},
            venue.environment() | own_warehouse(folder),
        )
    if measured.result["fills"] != venue.fills:
        raise RuntimeError(f"{task} committed {measured.result['fills']:,} of {venue.fills:,} fills")
    return measured
