"""Faults to plant in a copy of the project, and what catches each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDERS = ("macros", "models", "seeds", "snapshots", "tests/generic", "tests/singular")


@dataclass(frozen=True)
class Fault:
    """A text of a file replaced once by another, and the node and the words with which the analyzer refuses it."""

    path: str
    before: str
    after: str
    node: str
    why: str


def plant(folder: Path, path: str, before: str, after: str) -> None:
    text = (folder / path).read_text()
    assert before in text, f"{path} has no {before!r}: the fault cannot be planted"
    (folder / path).write_text(text.replace(before, after, 1))


MARTS = "models/marts"
FAULTS = [
    # A function, an operator or a word that only DuckDB has.
    Fault(
        "tests/singular/invariants/every_load_was_taken_in.sql",
        "select * from missed",
        "select list_sum([1]) as one from missed",
        "test.polyomega.every_load_was_taken_in",
        "Function not found: list_sum",
    ),
    Fault(
        f"{MARTS}/wallets/traders.sql",
        "cast(coalesce(traded.trades, 0) as int64)",
        "cast(coalesce(traded.trades, 0) // 1 as int64)",
        "model.polyomega.traders",
        "Syntax error",
    ),
    Fault(
        f"{MARTS}/sync/wallets_needing_sync.sql",
        "wallets.last_error,",
        "wallets.last_error::varchar as last_error,",
        "model.polyomega.wallets_needing_sync",
        "Syntax error",
    ),
    Fault(
        "tests/singular/invariants/ranks_are_contiguous.sql",
        "select * from neighbours",
        "select * exclude (rank_before) from neighbours",
        "test.polyomega.ranks_are_contiguous",
        "Syntax error",
    ),
    Fault(
        f"{MARTS}/sync/wallet_sync_progress.sql",
        "count(*) as wallets",
        "count(*) filter (where error_count > 0) as wallets",
        "model.polyomega.wallet_sync_progress",
        "Syntax error",
    ),
    # A type.
    Fault(
        f"{MARTS}/markets/contracts.sql",
        "cast(bid as {{ money_type() }})",
        "cast(bid as numeric(38, 9))",
        "model.polyomega.contracts",
        "Parameterized types are not allowed",
    ),
    Fault(
        f"{MARTS}/trades/category_coverage.sql",
        "cast(summed.trades_categorized as {{ double_type() }}) / summed.trades",
        "cast(summed.trades_categorized as string) / summed.trades",
        "model.polyomega.category_coverage",
        "No matching signature for operator /",
    ),
    Fault(
        "tests/singular/histories/no_trade_long_after_resolution.sql",
        "where markets.resolved_at < {{ timestamp_minus_days('trades.last_trade_at', 1) }}",
        "where markets.resolved_at < cast(trades.last_trade_at as string)",
        "test.polyomega.no_trade_long_after_resolution",
        "No matching signature for operator <",
    ),
    Fault(
        "macros/loads/remember_loads.sql",
        "loads.load_id\n    from",
        "7 as load_id\n    from",
        "model.polyomega.int_run_loads",
        "cannot be inserted into column load_id",
    ),
    # A macro whose BigQuery form is another one's.
    Fault(
        "macros/cross_db/join_distinct.sql",
        "array_to_string(array(select distinct element from unnest({{ array }}) as element order by element), ',')",
        "array_to_string(list_sort(list_distinct({{ array }})), ',')",
        "test.polyomega.macro_arrays",
        "Function not found",
    ),
    Fault(
        "macros/cross_db/parse_timestamp.sql",
        r"safe_cast(regexp_replace({{ text }}, r'(\.\d{6})\d+', r'\1') as timestamp)",
        "try_cast({{ text }} as timestamp)",
        "test.polyomega.macro_parse_timestamp",
        "Function not found: try_cast",
    ),
    # A name: a word that BigQuery keeps to itself, a name with two meanings, a column that is not there.
    Fault(
        f"{MARTS}/sync/markets_needing_sync.sql",
        "due as (",
        "rows as (select 1 as one),\n\ndue as (",
        "model.polyomega.markets_needing_sync",
        "Syntax error",
    ),
    Fault(
        "tests/singular/histories/published_coverage_is_true.sql",
        "group by traded.source",
        "group by trades.source",
        "test.polyomega.published_coverage_is_true",
        "Column trades contains an aggregation function",
    ),
    Fault(
        "models/intermediate/history/int_daily_scores.sql",
        "resolved_markets,",
        "markets_resolved as resolved_markets,",
        "model.polyomega.int_daily_scores",
        "Unrecognized name: markets_resolved",
    ),
]
