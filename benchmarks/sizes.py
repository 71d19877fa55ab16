"""How much each benchmark takes on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Numbers of one run of the benchmarks.

    Args:
        repeats: runs of each short measurement; the median counts.
        ingest_wallets, ingest_pages: wallets, and pages of 1,000 fills of each.
        memory_wallets, memory_pages: the same for `memory`.
        build_fills: fills in the warehouse of `build` and `omega`.
        increment_fills: new fills of each increment.
        increments: how many increments are built.
        fleet_wallets: wallets of `fleet`, with a hundred fills each.
        luck_wallets, luck_markets, luck_fills: size of the world of `luck`.
    """

    repeats: int = 3
    ingest_wallets: int = 20
    ingest_pages: int = 15
    memory_wallets: int = 1250
    memory_pages: int = 4
    build_fills: int = 1_000_000
    increment_fills: int = 10_000
    increments: int = 3
    fleet_wallets: int = 1200
    luck_wallets: int = 120
    luck_markets: int = 2000
    luck_fills: int = 200_000


DEFAULT = Sizes()
SOAK = Sizes(
    repeats=5,
    ingest_wallets=50,
    ingest_pages=20,
    build_fills=2_000_000,
    increments=5,
    fleet_wallets=6605,
    luck_wallets=300,
    luck_fills=500_000,
)
