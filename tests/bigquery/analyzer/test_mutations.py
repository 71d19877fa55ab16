"""Faults, planted in a copy of the project: each is caught, and the proof that catches it is named.

A node that is refused keeps nothing else from being judged, so that faults of different nodes share one run of dbt."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bigquery.analyzer.building import Build, refusals
from tests.bigquery.analyzer.conftest import Checked
from tests.conftest import ROOT

pytestmark = pytest.mark.xdist_group("analyzer")

SOAK = os.environ.get("POLYOMEGA_SOAK") == "1"
FOLDERS = ("macros", "models", "seeds", "snapshots", "tests/generic", "tests/singular")


@dataclass(frozen=True)
class Fault:
    """A text of a file replaced once by another, and the node and the words with which the analyzer refuses it."""

    path: str
    before: str
    after: str
    node: str
    why: str


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    """A copy of what dbt reads."""
    folder = tmp_path / "project"
    for name in FOLDERS:
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "dbt_project.yml", folder)
    yield folder


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
        "cast(trades_categorized as {{ double_type() }}) / trades",
        "cast(trades_categorized as string) / trades",
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


def test_each_fault_is_refused_by_the_analyzer(checked: Checked, copy: Path, tmp_path: Path) -> None:
    for fault in FAULTS:
        plant(copy, fault.path, fault.before, fault.after)
    build = Build(checked.build.service, tmp_path, copy)
    build.service.statements.clear()
    names = [fault.node.split(".")[2] for fault in FAULTS]
    tests = [name for name in names if f"test.polyomega.{name}" in {fault.node for fault in FAULTS}]
    # Not `build`: it would pass over whatever stands below a model that was refused.
    models = build.dbt("run", "--select", *(name for name in names if name not in tests))
    singular = build.dbt("test", "--select", *tests)
    refused = refusals(build.service.statements)
    assert {fault.node: fault.why in refused.get(fault.node, "") for fault in FAULTS} == {
        fault.node: True for fault in FAULTS
    }, f"{refused}\n{models.stdout}\n{singular.stdout}"
    assert models.returncode == 1 and singular.returncode == 1


def dispatched() -> list[str]:
    """The macros of the project whose BigQuery form is its own, by name."""
    found = re.compile(r"\{% macro bigquery__(\w+)\(")
    texts = {path: path.read_text() for path in sorted((ROOT / "macros").rglob("*.sql"))}
    return [name for text in texts.values() for name in found.findall(text) if f"macro default__{name}(" in text]


def without(folder: Path, name: str) -> None:
    """Takes the BigQuery form of a macro away."""
    (path,) = [one for one in (folder / "macros").rglob("*.sql") if f"macro bigquery__{name}(" in one.read_text()]
    text = path.read_text()
    gone = re.sub(rf"\{{% macro bigquery__{name}\(.*?endmacro %\}}\n?", "", text, count=1, flags=re.DOTALL)
    assert gone != text
    path.write_text(gone)


@pytest.mark.parametrize("name", dispatched() if SOAK else ["unnest_array", "clustering"])
def test_no_macro_can_lose_its_bigquery_form(checked: Checked, copy: Path, tmp_path: Path, name: str) -> None:
    """`dbt parse` catches it: nothing falls back to another engine's words."""
    without(copy, name)
    parsed = Build(checked.build.service, tmp_path, copy).dbt("parse")
    assert parsed.returncode != 0
    assert f"{name} is not implemented for bigquery" in parsed.stdout + parsed.stderr


def test_every_dispatched_macro_is_used_where_the_parser_looks(checked: Checked) -> None:
    """So that the removal of any of them is seen, and not only of those above."""
    used = {macro for node in checked.build.nodes().values() for macro in node["depends_on"].get("macros", [])}
    inner = " ".join(path.read_text() for path in (ROOT / "macros").rglob("*.sql"))
    assert len(dispatched()) >= 20
    for name in dispatched():
        assert f"macro.polyomega.{name}" in used or len(re.findall(rf"\b{name}\(", inner)) > 5, name
