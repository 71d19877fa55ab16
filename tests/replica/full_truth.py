"""The public tables of the whole ledger, and every figure beside omega, worked out from a world's objects alone.

As in `truth`: tables are lists of dicts; money and shares are Decimals, moments aware UTC datetimes, days dates,
ratios floats.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

from tests.replica.books import Book, Bookkeeper, WalletBooks
from tests.replica.positions import Observation, accounts, known_markets, resolved_pnl
from tests.replica.units import DAY, PERIODS, Parameters, Row, moment, nano
from tests.replica.world import World

FDR_LEVEL = 0.05


@dataclass(slots=True)
class FullTruth:
    """The public tables that the whole ledger makes, as of one moment."""

    as_of: datetime
    wallet_positions: list[Row] = field(default_factory=list)
    wallet_market_pnl: list[Row] = field(default_factory=list)
    wallet_daily_pnl: list[Row] = field(default_factory=list)
    wallet_scores_by_category: list[Row] = field(default_factory=list)
    wallet_scores: list[Row] = field(default_factory=list)


def full_truth(
    world: World,
    now: int,
    *,
    wallets: Collection[str] | None = None,
    as_of: int | None = None,
    parameters: Parameters | None = None,
) -> FullTruth:
    """The tables after a complete sync of `wallets` (None: all) that ended at `now`, as of `as_of` (None: `now`)."""
    synced = sorted(world.wallets if wallets is None else wallets)
    cut = now if as_of is None else as_of
    known = known_markets(world, synced, now)
    keeper = Bookkeeper(world, now, known)
    result = FullTruth(as_of=moment(cut))
    kept = accounts(world, keeper, synced, cut)
    result.wallet_positions, result.wallet_market_pnl = kept.positions, kept.markets
    for wallet, books in kept.books.items():
        result.wallet_daily_pnl += daily_rows(keeper, wallet, books, cut)
    scores = Board(kept.observations, cut, parameters or Parameters())
    result.wallet_scores_by_category = scores.rows(
        (wallet, name) for wallet, names in kept.categories.items() for name in sorted(names)
    )
    result.wallet_scores = scores.rows((wallet, None) for wallet in synced if kept.categories[wallet])
    return result


# ---- the daily curve ----


def daily_rows(keeper: Bookkeeper, wallet: str, final: WalletBooks, cut: int) -> list[Row]:
    """A row per day on which the wallet's ledger moved or one of its markets resolved: what the tables of positions
    would have said at the end of that day."""
    moments = [fill.timestamp for fill in keeper.world.visible_fills(wallet, keeper.now)]
    moments += [entry.timestamp for entry in keeper.world.visible_entries(wallet, keeper.now)]
    for group in final.markets.values():
        if keeper.state(group[0].market, cut) in ("resolved", "voided"):
            moments.append(group[0].market.resolved_at or 0)
    rows: list[Row] = []
    before = peak = income_before = 0
    for day in sorted({at - at % DAY for at in moments if at <= cut}):
        end = min(day + DAY - 1, cut)
        books = keeper.books(wallet, end)
        value = books.income + sum(_booked(keeper, book, end) for group in books.markets.values() for book in group)
        peak = max(peak, value)
        rows.append(
            {
                "wallet_address": wallet,
                "pnl_date": datetime.fromtimestamp(day, UTC).date(),
                "pnl_usd": nano(value - before),
                "income_usd": nano(books.income - income_before),
                "cumulative_pnl_usd": nano(value),
                "drawdown_usd": nano(peak - value),
            }
        )
        before, income_before = value, books.income
    return rows


def _booked(keeper: Bookkeeper, book: Book, cut: int) -> int:
    resolved = resolved_pnl(keeper, book, cut)
    return book.realized_cash_pnl if resolved is None else resolved


# ---- figures beside omega ----


def utc_day(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


class Board:
    """Figures of every (wallet, category or None for all, period) over observations that resolved by `cut`."""

    def __init__(self, observations: Sequence[Observation], cut: int, rules: Parameters) -> None:
        self.cut = cut
        self.rules = rules
        self._seen: dict[tuple[str, str | None, str], list[Observation]] = defaultdict(list)
        for seen in observations:
            for period, days in PERIODS.items():
                if days is not None and seen.resolved_at <= cut - days * DAY:
                    continue
                for category in (seen.category, None):
                    self._seen[seen.wallet, category, period].append(seen)

    def rows(self, pairs: Iterable[tuple[str, str | None]]) -> list[Row]:
        rows = [self._row(wallet, category, period) for wallet, category in pairs for period in PERIODS]
        return discoveries(rows)

    def _row(self, wallet: str, category: str | None, period: str) -> Row:
        everything = self._seen.get((wallet, category, period), [])
        seen = [one for one in everything if one.is_scored]
        key: Row = {"wallet_address": wallet, "category": category, "period": period}
        shown = bool(seen) and not self._is_withheld(wallet, everything)
        figures = FIGURES if shown else {}
        row = key | {name: figure(seen) for name, figure in figures.items()}
        row |= dict.fromkeys(set(FIGURES) - set(figures))
        lost = any(one.pnl < 0 for one in seen)
        on_board = shown and lost and len(seen) >= self.rules.omega_min_markets
        row["p_value"] = p_value(seen) if on_board else None
        return row

    def _is_withheld(self, wallet: str, seen: Sequence[Observation]) -> bool:
        stake = sum(one.stake for one in seen)
        unscored = sum(one.stake for one in seen if not one.is_scored)
        limit = self.rules.omega_max_unscored_stake_share
        return wallet in self.rules.incomplete_wallets or bool(stake and Fraction(unscored, stake) > limit)


def by_day(seen: Sequence[Observation]) -> list[int]:
    """Profit by day of resolution, in order, in nano-dollars."""
    days: dict[date, int] = defaultdict(int)
    for one in seen:
        days[utc_day(one.resolved_at)] += one.pnl
    return [days[day] for day in sorted(days)]


def profit_factor(seen: Sequence[Observation]) -> float | None:
    days = by_day(seen)
    lost = -sum(day for day in days if day < 0)
    return float(Fraction(sum(day for day in days if day > 0), lost)) if lost else None


def max_drawdown(seen: Sequence[Observation]) -> Decimal:
    value = peak = deepest = 0
    for day in by_day(seen):
        value += day
        peak = max(peak, value)
        deepest = max(deepest, peak - value)
    return nano(deepest)


def bought(seen: Sequence[Observation]) -> list[tuple[Book, Fraction]]:
    """Positions with purchases, and what their outcome paid."""
    return [(book, one.payouts[book.outcome]) for one in seen for book in one.books if book.bought]


def mean_entry_price(seen: Sequence[Observation]) -> float | None:
    positions = bought(seen)
    shares = sum(book.bought for book, _ in positions) * 1000
    return float(Fraction(sum(book.bought_usd for book, _ in positions), shares)) if shares else None


def entry_edge(seen: Sequence[Observation]) -> float | None:
    positions = bought(seen)
    shares = sum(book.bought for book, _ in positions) * 1000
    worth = sum((book.bought * 1000 * payout - book.bought_usd for book, payout in positions), Fraction(0))
    return float(worth / shares) if shares else None


def brier_score(seen: Sequence[Observation]) -> float | None:
    errors = [(Fraction(book.bought_usd, book.bought * 1000) - payout) ** 2 for book, payout in bought(seen)]
    return float(sum(errors, Fraction(0)) / len(errors)) if errors else None


def mean_holding_days(seen: Sequence[Observation]) -> float | None:
    shares = moments = 0
    for one in seen:
        for book in one.books:
            if book.acquired:
                rest = book.acquired - book.sold - book.merged - book.converted_out
                shares += book.acquired
                moments += book.out_moments + rest * one.resolved_at - book.in_moments
    return float(Fraction(moments, shares * DAY)) if shares else None


def top_event_share(seen: Sequence[Observation]) -> float | None:
    events: dict[str, int] = defaultdict(int)
    for one in seen:
        events[one.event] += abs(one.pnl)
    total = sum(events.values())
    return float(Fraction(max(events.values()), total)) if total else None


FIGURES = {
    "profit_factor": profit_factor,
    "max_drawdown_usd": max_drawdown,
    "mean_entry_price": mean_entry_price,
    "entry_edge": entry_edge,
    "brier_score": brier_score,
    "mean_holding_days": mean_holding_days,
    "top_event_share": top_event_share,
}


def p_value(seen: Sequence[Observation]) -> float:
    """One-sided: how likely is so good a ratio where the true one is 1, its logarithm being normal?"""
    gains = sum(one.pnl for one in seen if one.pnl > 0)
    lost = -sum(one.pnl for one in seen if one.pnl < 0)
    if not gains:
        return 1.0
    variance = Fraction(sum(one.pnl**2 for one in seen if one.pnl > 0), gains**2)
    variance += Fraction(sum(one.pnl**2 for one in seen if one.pnl < 0), lost**2)
    return math.erfc(math.log(Fraction(gains, lost)) / math.sqrt(2 * variance)) / 2


def discoveries(rows: list[Row]) -> list[Row]:
    """Benjamini and Hochberg's q-values within (category, period); flags what passes."""
    boards: dict[tuple[str | None, str], list[Row]] = defaultdict(list)
    for row in rows:
        row["q_value"] = row["is_significant"] = None
        if row["p_value"] is not None:
            boards[row["category"], row["period"]].append(row)
    for board in boards.values():
        board.sort(key=lambda row: row["p_value"], reverse=True)
        least = 1.0
        for position, row in enumerate(board):
            least = min(least, row["p_value"] * len(board) / (len(board) - position))
            row["q_value"] = least
            row["is_significant"] = least <= FDR_LEVEL
    return rows
