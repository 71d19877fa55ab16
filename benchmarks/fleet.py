"""`fleet`: the backfill of a fleet of wallets at the limit of requests: is anything but the venue waited for?"""

from __future__ import annotations

from benchmarks.figures import Benchmark, Figure, Say
from benchmarks.ingest import own_warehouse
from benchmarks.measure import run_client, temporary_folder
from benchmarks.memory import TARGET_MEGABYTES
from benchmarks.sizes import Sizes
from benchmarks.venue import Manners, served

#: Documented for the tightest route: 200 requests in 10 seconds.
LIMIT = Manners(rows=100, most=200, seconds=10, answer_after=0.1)
LEAST_SHARE = 0.95
MOST_TIME = 1.15


def run(sizes: Sizes, say: Say) -> Benchmark:
    wallets = sizes.fleet_wallets
    with served(wallets, 1, LIMIT) as venue, temporary_folder() as folder:
        say(f"{wallets:,} wallets at {LIMIT.per_second:.0f} requests/s")
        pace = {"SOURCES__POLYMARKET__REQUESTS_PER_SECOND": str(LIMIT.per_second)}
        measured = run_client(
            "backfill", {"wallets": wallets, "pages": 1}, venue.environment() | own_warehouse(folder) | pace
        )
        answered = venue.answered()
    if measured.result["fills"] != venue.fills:
        raise RuntimeError(f"committed {measured.result['fills']:,} of {venue.fills:,} fills")
    least = answered.requests / LIMIT.per_second
    took, share = measured.result["seconds"], answered.pace / LIMIT.per_second
    highest = measured.memory.highest
    return Benchmark(
        "fleet",
        (
            Figure(
                "share of the limit that was used",
                100 * share,
                100.0,
                "%",
                f"{LEAST_SHARE:.0%} to 100%",
                LEAST_SHARE <= share and not answered.refused,
            ),
            Figure("time by the clock", took, least, "s", f"<= {MOST_TIME} x", took <= MOST_TIME * least),
            Figure(
                "highest resident memory", highest, None, "MB", f"< {TARGET_MEGABYTES} MB", highest < TARGET_MEGABYTES
            ),
            Figure("requests per second", answered.pace, LIMIT.per_second, "/s"),
            Figure("processor time of the client", measured.result["cpu_seconds"]),
        ),
        (
            f"{venue.fills:,} fills of {wallets:,} wallets, {answered.requests:,} requests, each answered after "
            f"{LIMIT.answer_after:g} s, {answered.refused:,} refused. Limit: {LIMIT.most} requests in any "
            f"{LIMIT.seconds} s; the time's limit is requests / limit. Share: of the requests between the first and "
            "the last second of reading wallets.",
        ),
    )
