"""The whole way in one object: a replica, the extractor's command line, dbt, and the public tables."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tests.conftest import Project, make_project
from tests.replica.full_truth import FullTruth
from tests.replica.server import RunningReplica
from tests.replica.truth import Truth
from tests.warehouse.compare import assert_close, assert_same_rows

#: Columns of the public tables that the truth knows, compared exactly.
EXACT = {
    "trades": (
        "venue wallet_address condition_id market_id event_slug token_id outcome side price shares usd_value fee_usd "
        "timestamp transaction_hash"
    ),
    "markets": (
        "venue market_id condition_id event_slug title category status closed end_date resolved_at winning_outcome "
        "volume"
    ),
    "contracts": "venue market_id contract_id outcome outcome_index payout",
    "events": "venue event_slug title category start_date end_date markets",
    "wallet_positions": (
        "wallet_address market_id token_id outcome trades shares_bought shares_sold shares_split shares_merged "
        "shares_redeemed shares_converted_in shares_converted_out shares_transferred shares_held bought_usd sold_usd "
        "split_usd merged_usd redeemed_usd converted_in_usd converted_out_usd cash_flow_usd fees_usd "
        "realized_cash_pnl resolved_pnl unrealized_pnl status is_conserved"
    ),
    "wallet_market_pnl": (
        "wallet_address market_id category resolved_at realized_cash_pnl resolved_pnl unrealized_pnl stake_usd "
        "is_scored not_scored_reason"
    ),
    "wallet_scores_by_category": (
        "wallet_address category period as_of resolved_markets wins losses total_gains total_losses total_pnl "
        "omega_status rank"
    ),
    "wallet_scores": (
        "wallet_address period as_of resolved_markets wins losses total_gains total_losses total_pnl omega_status rank"
    ),
}
#: `make soak` runs the same tests with larger numbers.
SOAK = os.environ.get("POLYOMEGA_SOAK") == "1"
WITHOUT_TESTS = ("--exclude-resource-type", "test", "unit_test")
METRICS = (
    "mean_entry_price entry_edge brier_score mean_holding_days profit_factor max_drawdown_usd top_event_share p_value "
    "q_value is_significant"
)
RATIOS = "omega_ratio omega_low omega_high omega_shrunk effective_markets win_rate roi"


@dataclass(frozen=True)
class Warehouse:
    """A project on disk, pointed at a replica."""

    project: Project

    @staticmethod
    def in_folder(folder: Path, replica: RunningReplica) -> Warehouse:
        project = make_project(folder)
        project.environment.update(replica.environment())
        for venue in ("POLYMARKET", "DOME"):
            project.environment[f"SOURCES__{venue}__REQUESTS_PER_SECOND"] = "2000"
        project.environment["RUNTIME__REQUEST_BACKOFF_FACTOR"] = "0.01"
        # Nothing may depend on where the computer stands.
        project.environment["TZ"] = "Asia/Kathmandu"
        return Warehouse(project)

    def sync(self, *arguments: str, wallets: Iterable[str] = (), code: int = 0) -> str:
        """`dlt pipeline … run`; returns what it printed."""
        named = list(wallets)
        if named:
            listing = self.project.folder / "wallets.txt"
            listing.write_text("\n".join(named))
            arguments = (*arguments, "--wallets", str(listing))
        before = () if arguments and arguments[0] in ("polymarket", "dome") else ("polymarket",)
        venue, rest = ((*before, *arguments)[0], (*before, *arguments)[1:])
        return checked(self.project.dlt(venue, "run", *rest), code)

    def build(self, *arguments: str) -> str:
        """`dbt build` of Polymarket's and Dome's tables, and their data tests; returns what it printed."""
        # The other venues' models would be built empty each time.
        alone = () if "--vars" in arguments else ("--vars", "price_venues: []")
        # Unit tests know no warehouse: that of the documents' test runs them, once.
        chosen = {"--exclude-resource-type", "--selector"} & set(arguments)
        tests = () if chosen else ("--exclude-resource-type", "unit_test")
        return checked(self.project.dbt("build", "--quiet", *alone, *tests, *arguments), 0)

    def rows(self, table: str, columns: str = "*") -> list[dict[str, Any]]:
        with duckdb.connect(self.project.warehouse, read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            cursor = connection.execute(f"select {columns} from polyomega.{table}")
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def assert_equals(self, truth: Truth) -> None:
        """Every public table that the truth knows is exactly as it says."""
        for table, columns in EXACT.items():
            assert_same_rows(self.rows(table), getattr(truth, table), columns.split())
        for table, key in (
            ("wallet_scores_by_category", "wallet_address category period"),
            ("wallet_scores", "wallet_address period"),
        ):
            assert_close(self.rows(table), getattr(truth, table), key.split(), RATIOS.split())

    def assert_metrics_equal(self, truth: FullTruth) -> None:
        """What scores tell beside omega is as the truth of the whole ledger says."""
        for table, key in (
            ("wallet_scores_by_category", "wallet_address category period"),
            ("wallet_scores", "wallet_address period"),
        ):
            assert_close(self.rows(table), getattr(truth, table), key.split(), METRICS.split())


def checked(process: subprocess.CompletedProcess[str], code: int) -> str:
    assert process.returncode == code, f"{process.args}\n{process.stdout}\n{process.stderr}"
    return process.stdout + process.stderr
