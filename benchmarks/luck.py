"""`luck`: how many wallets without any edge the intervals call good, on a world whose truth is known."""

from __future__ import annotations

from benchmarks.figures import Benchmark, Figure, Say
from benchmarks.measure import temporary_folder
from benchmarks.sizes import Sizes
from tests.replica.server import serve
from tests.replica.world import build_world
from tests.warehouse.conftest import Warehouse

TARGET_PERCENT = 5.0
MIN_MARKETS = 100
MIN_LOSSES = 10
SEED = 8


def run(sizes: Sizes, say: Say) -> Benchmark:
    say("a world of wallets with and without an edge")
    world = build_world(SEED, wallets=sizes.luck_wallets, markets=sizes.luck_markets, fills=sizes.luck_fills)
    with temporary_folder() as folder, serve(world) as replica:
        warehouse = Warehouse.in_folder(folder, replica)
        say("dlt pipeline run")
        warehouse.sync(wallets=world.wallets)
        say("dbt build")
        warehouse.build("--exclude-resource-type", "test", "unit_test")
        scores = [row for row in warehouse.rows("wallet_scores") if row["period"] == "all"]
    enough = [
        row
        for row in scores
        if row["omega_low"] is not None and row["resolved_markets"] >= MIN_MARKETS and row["losses"] >= MIN_LOSSES
    ]

    def shares(style: str) -> tuple[int, float, float]:
        """Wallets of the style, percent of them with `omega_low` above 1, percent called significant."""
        rows = [row for row in enough if world.wallets[row["wallet_address"]].style == style]
        above = sum(row["omega_low"] > 1 for row in rows)
        significant = sum(bool(row["is_significant"]) for row in rows)
        return len(rows), 100 * above / max(len(rows), 1), 100 * significant / max(len(rows), 1)

    no_edge, no_edge_above, no_edge_significant = shares("zero_edge")
    skilled, skilled_above, skilled_significant = shares("skilled")
    target = f"<= {TARGET_PERCENT:.0f} %"
    return Benchmark(
        "luck",
        (
            Figure(
                "no edge, interval wholly above 1", no_edge_above, None, "%", target, no_edge_above <= TARGET_PERCENT
            ),
            Figure("no edge, called significant", no_edge_significant, None, "%"),
            Figure("skilled, interval wholly above 1", skilled_above, None, "%"),
            Figure("skilled, called significant", skilled_significant, None, "%"),
        ),
        (
            f"Wallets with at least {MIN_MARKETS} resolved markets and {MIN_LOSSES} losses: {no_edge} without an edge, "
            f"{skilled} skilled, of {len(scores)} in a world of {len(world.fills):,} fills. They trade against the "
            "same makers and pay the same fees; only the skilled know more.",
        ),
    )
