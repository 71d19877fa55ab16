"""Positions and markets of wallets as rows of the public tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from tests.replica.books import Book, Bookkeeper, WalletBooks
from tests.replica.model import Market
from tests.replica.units import UNCATEGORIZED, Row, micro, moment, nano
from tests.replica.world import World, market_state


@dataclass(frozen=True, slots=True)
class Observation:
    """A resolved wallet x market: what scores are made of. Nano-dollars."""

    wallet: str
    category: str
    event: str
    resolved_at: int
    pnl: int
    stake: int
    is_scored: bool
    books: tuple[Book, ...]
    payouts: tuple[Fraction, ...]


def known_markets(world: World, synced: Iterable[str], now: int) -> set[str]:
    """Markets that trades and ledgers name and that the venue lists, with all markets of an event of a conversion."""
    named: set[str] = set()
    for wallet in synced:
        named |= {fill.condition_id for fill in world.visible_fills(wallet, now)}
        for entry in world.visible_entries(wallet, now):
            named.add(entry.condition_id)
            if entry.type == "CONVERSION":
                named |= set(world.events[entry.event_id].condition_ids)
    listed = (market for market in world.markets.values() if market_state(market, now) != "unlisted")
    return named & {market.condition_id for market in listed}


def category_of(world: World, keeper: Bookkeeper, market: Market) -> str:
    return world.event_of(market).category if market.condition_id in keeper.known else UNCATEGORIZED


def resolved_pnl(keeper: Bookkeeper, book: Book, cut: int) -> int | None:
    if keeper.state(book.market, cut) != "resolved" or book.market.payouts is None:
        return None
    return book.resolved_pnl(book.market.payouts[book.outcome])


def position_row(world: World, keeper: Bookkeeper, book: Book, cut: int) -> Row:
    market, state = book.market, keeper.state(book.market, cut)
    resolved, unrealized = resolved_pnl(keeper, book, cut), None
    if state not in ("unknown", "resolved", "voided"):
        unrealized = book.unrealized_pnl(Fraction(world.outcome_prices(market, keeper.now)[book.outcome]))
    done = state in ("resolved", "voided")
    return {
        "wallet_address": book.wallet,
        "market_id": market.condition_id,
        "condition_id": market.condition_id,
        "token_id": market.token_ids[book.outcome],
        "outcome": market.outcomes[book.outcome] if state != "unknown" else None,
        "trades": book.trades,
        "shares_bought": micro(book.bought),
        "shares_sold": micro(book.sold),
        "shares_split": micro(book.split),
        "shares_merged": micro(book.merged),
        "shares_redeemed": micro(book.redeemed),
        "shares_converted_in": micro(book.converted_in),
        "shares_converted_out": micro(book.converted_out),
        "shares_transferred": micro(book.transferred),
        "shares_held": micro(book.held),
        "bought_usd": nano(book.bought_usd),
        "sold_usd": nano(book.sold_usd),
        "split_usd": nano(book.split_usd),
        "merged_usd": nano(book.merge_usd),
        "redeemed_usd": nano(book.redeem_usd),
        "converted_in_usd": nano(book.converted_in_usd),
        "converted_out_usd": nano(book.converted_out_usd),
        "fees_usd": nano(book.fees),
        "cash_flow_usd": nano(book.cash_flow),
        "realized_cash_pnl": nano(book.realized_cash_pnl),
        "resolved_pnl": None if resolved is None else nano(resolved),
        "unrealized_pnl": None if unrealized is None else nano(unrealized),
        "status": state if done else "open" if book.held else "closed",
        "is_conserved": book.is_conserved,
    }


def not_scored_reason(keeper: Bookkeeper, group: Sequence[Book], cut: int) -> str | None:
    state = keeper.state(group[0].market, cut)
    if state == "unknown":
        return "market_unknown"
    if state != "resolved":
        return "voided" if state == "voided" else "not_resolved"
    return None if all(book.is_conserved for book in group) else "ledger_break"


def market_row(world: World, keeper: Bookkeeper, group: Sequence[Book], rows: Sequence[Row], cut: int) -> Row:
    market, state = group[0].market, keeper.state(group[0].market, cut)
    reason = not_scored_reason(keeper, group, cut)
    done = state in ("resolved", "voided")
    return {
        "wallet_address": group[0].wallet,
        "market_id": market.condition_id,
        "condition_id": market.condition_id,
        "event_slug": world.event_of(market).slug if state != "unknown" else None,
        "category": category_of(world, keeper, market),
        "resolved_at": moment(market.resolved_at) if done and market.resolved_at else None,
        "realized_cash_pnl": _total(rows, "realized_cash_pnl"),
        "resolved_pnl": _total(rows, "resolved_pnl"),
        "unrealized_pnl": _total(rows, "unrealized_pnl"),
        "stake_usd": nano(sum(book.stake for book in group)),
        "fees_usd": _total(rows, "fees_usd"),
        "is_conserved": all(book.is_conserved for book in group),
        "is_scored": reason is None,
        "not_scored_reason": reason,
    }


def _total(rows: Sequence[Row], column: str) -> Decimal | None:
    values = [row[column] for row in rows]
    return None if None in values else sum(values, Decimal(0))


def observation_of(world: World, keeper: Bookkeeper, group: Sequence[Book], cut: int) -> list[Observation]:
    market = group[0].market
    pnls = [resolved_pnl(keeper, book, cut) for book in group]
    if market.resolved_at is None or market.payouts is None or None in pnls:
        return []
    return [
        Observation(
            wallet=group[0].wallet,
            category=category_of(world, keeper, market),
            event=market.event_id,
            resolved_at=market.resolved_at,
            pnl=sum(pnl for pnl in pnls if pnl is not None),
            stake=sum(book.stake for book in group),
            is_scored=not_scored_reason(keeper, group, cut) is None,
            books=tuple(group),
            payouts=market.payouts,
        )
    ]


@dataclass(slots=True)
class Accounts:
    """Books of wallets as of a moment, the rows of public tables that follow from them, and what scores are made of.

    `categories` are those in which each wallet has a position.
    """

    books: dict[str, WalletBooks] = field(default_factory=dict)
    positions: list[Row] = field(default_factory=list)
    markets: list[Row] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    categories: dict[str, set[str]] = field(default_factory=dict)


def accounts(world: World, keeper: Bookkeeper, wallets: Iterable[str], cut: int) -> Accounts:
    result = Accounts()
    for wallet in wallets:
        result.books[wallet] = keeper.books(wallet, cut)
        result.categories[wallet] = set()
        for group in result.books[wallet].markets.values():
            rows = [position_row(world, keeper, book, cut) for book in group]
            result.positions += rows
            result.markets.append(market_row(world, keeper, group, rows, cut))
            result.categories[wallet].add(category_of(world, keeper, group[0].market))
            result.observations += observation_of(world, keeper, group, cut)
    return result
