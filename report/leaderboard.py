"""The wallets of each category, the one with the best lower bound of omega first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from report.terminal import plain
from report.warehouse import ReportError, Row, Warehouse

PERIODS = ("all", "365d", "90d", "30d")

#: Why a wallet has no rank, in the order in which it is told; docs/scores.md says more.
UNRANKED = {
    "too_few": "too few markets",
    "no_losses": "no loss yet",
    "withheld": "withheld",
    "no_resolved": "nothing resolved",
}

RANKED_SQL = """
select
    category,
    rank,
    wallet_address,
    omega_ratio,
    omega_low,
    omega_high,
    omega_shrunk,
    resolved_markets,
    win_rate,
    total_pnl
from {schema}.wallet_scores_by_category
where period = ? and omega_status = 'ok' and rank <= ?
order by category, rank
"""

STATUS_SQL = """
select
    category,
    omega_status,
    count(*) as wallets
from {schema}.wallet_scores_by_category
where period = ?
group by category, omega_status
order by category, omega_status
"""

AS_OF_SQL = "select max(as_of) as as_of from {schema}.wallet_scores_by_category"


def print_leaderboard(
    console: Console, warehouse: Warehouse, period: str, top: int, category: str | None, wide: bool
) -> None:
    """Prints one table per category, or the one asked for.

    Raises:
        ReportError: there is no score yet, or none in the category asked for.
    """
    statuses: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for name, status, wallets in warehouse.rows(STATUS_SQL, (period,)):
        statuses[name][status] = wallets
    if not statuses:
        raise ReportError(f"no scores in {warehouse.name} yet: run `dbt build` after a sync")
    if category is not None:
        known = {name.lower(): name for name in statuses}
        if category.lower() not in known:
            there = ", ".join(sorted(statuses))
            raise ReportError(f"no wallet traded in {category!r}; there are: {there}")
        statuses = defaultdict(dict, {known[category.lower()]: statuses[known[category.lower()]]})
    ranked: defaultdict[str, list[Row]] = defaultdict(list)
    for row in warehouse.rows(RANKED_SQL, (period, top)):
        ranked[row[0]].append(row)

    [(as_of,)] = warehouse.rows(AS_OF_SQL)
    span = "all time" if period == "all" else f"the last {period.removesuffix('d')} days"
    moment = f"{as_of:%Y-%m-%d %H:%M} UTC"
    console.print(f"Omega by category, resolved markets of {span}, as of {moment}", highlight=False)
    # The categories with most ranked wallets say most, so they come first.
    for name in sorted(statuses, key=lambda name: (-statuses[name].get("ok", 0), name)):
        console.print()
        if ranked[name]:
            console.print(_table(name, ranked[name], wide))
        else:
            console.print(plain(name).append(": no wallet is ranked"))
        console.print(_unranked(statuses[name]), soft_wrap=True, highlight=False)


def _table(category: str, rows: Sequence[Row], wide: bool) -> Table:
    table = Table(title=plain(category), title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("rank", justify="right")
    table.add_column("wallet", no_wrap=True)
    for heading in ("omega", "95% interval", "shrunk", "markets", "win rate", "PnL"):
        table.add_column(heading, justify="right", no_wrap=True)
    for _, rank, wallet, omega, low, high, shrunk, markets, win_rate, pnl in rows:
        table.add_row(
            str(rank),
            plain(wallet if wide else _short(wallet)),
            _ratio(omega),
            f"{_ratio(low)} – {_ratio(high)}",
            _ratio(shrunk),
            f"{markets:,}",
            "–" if win_rate is None else f"{float(win_rate):.0%}",
            _dollars(pnl),
        )
    return table


def _unranked(statuses: dict[str, int]) -> str:
    parts = [f"{statuses[key]:,} {reason}" for key, reason in UNRANKED.items() if statuses.get(key)]
    total = sum(statuses.values())
    ranked = statuses.get("ok", 0)
    head = f"{ranked:,} of {total:,} wallets ranked"
    return f"{head}; not ranked: {', '.join(parts)}" if parts else head


def _short(wallet: str) -> str:
    return wallet if len(wallet) <= 13 else f"{wallet[:6]}…{wallet[-4:]}"


def _ratio(value: Any) -> str:
    """Two decimals while they tell something: omega runs from hundredths to thousands."""
    if value is None:
        return "–"
    number = float(value)
    return f"{number:,.0f}" if number >= 1000 else f"{number:.2f}"


def _dollars(value: Decimal | float) -> str:
    sign = "-" if value < 0 else ""
    return f"{sign}${abs(value):,.2f}"
