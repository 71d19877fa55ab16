"""What is in the warehouse, how complete it is, and what the last run added."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from extract.warehouse import PUBLIC_SCHEMA
from report.warehouse import Warehouse

#: What one row of each table is, in the order of the way from venue to score.
TABLES = {
    "trades": "fills, each counted once",
    "markets": "markets",
    "contracts": "outcomes of markets",
    "events": "events",
    "traders": "wallets",
    "wallet_positions": "wallet × outcome",
    "wallet_market_pnl": "wallet × market",
    "wallet_scores_by_category": "wallet × category × period",
    "wallet_scores": "wallet × period",
}

COVERAGE_SQL = """
select
    sum(trades) as trades,
    sum(trades_with_market) as trades_with_market,
    sum(trades_categorized) as trades_categorized
from {schema}.category_coverage
"""

LAST_RUN_SQL = """
select
    last_sync_time,
    status,
    wallets_processed,
    trades_added,
    markets_added,
    events_added
from {schema}.daily_sync_checkpoint
order by last_sync_time desc
limit 1
"""


def print_summary(console: Console, warehouse: Warehouse) -> None:
    """Prints the counts of the public tables, coverage and the last run."""
    counts = Table(box=None, pad_edge=False)
    counts.add_column("table")
    counts.add_column("rows", justify="right")
    counts.add_column("one row is", style="dim")
    for name, meaning in TABLES.items():
        [(rows,)] = warehouse.rows(f"select count(*) as row_count from {{schema}}.{name}")
        counts.add_row(name, f"{rows:,}", meaning)
    heading = f"Public tables (schema {PUBLIC_SCHEMA}) in {warehouse.name}"
    console.print(heading, markup=False, highlight=False)
    console.print(counts)

    [(trades, with_market, with_category)] = warehouse.rows(COVERAGE_SQL)
    if trades:
        console.print(
            f"Of {int(trades):,} trades {int(with_market) / int(trades):.2%} have a known market "
            f"and {int(with_category) / int(trades):.2%} a category; the others count as Uncategorized.",
            soft_wrap=True,
            highlight=False,
        )
    console.print(last_run(warehouse), soft_wrap=True, highlight=False)


def last_run(warehouse: Warehouse) -> str:
    """One sentence on the newest run: when, how it ended, how many rows it added."""
    runs = warehouse.rows(LAST_RUN_SQL)
    if not runs:
        return "No run is recorded yet: `dlt pipeline run`, then `dbt build`."
    [(ended, status, wallets, trades, markets, events)] = runs
    return (
        f"The last run ({ended:%Y-%m-%d %H:%M} UTC, {status}, {wallets:,} wallets) "
        f"added {trades:,} trades, {markets:,} markets and {events:,} events."
    )
