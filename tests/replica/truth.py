"""What the public tables must say about a world, worked out from its objects alone.

Sums are exact: integers of millionths (shares, dollars) or of nano-dollars (PnL), fractions for
ratios; only the last step makes Decimals of money and floats of scores. Nothing here reads JSON or
SQL, so that an error in either cannot hide.

Tables are lists of dicts with the columns of the public tables. Moments are aware UTC datetimes,
money and shares Decimals, ratios floats.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from tests.replica.books import Bookkeeper, rounded
from tests.replica.model import Event, Fill, Market
from tests.replica.positions import Observation, accounts, known_markets
from tests.replica.units import DAY, PERIODS, VENUE, Parameters, Row, Z, micro, moment, nano
from tests.replica.world import World, market_state
from tests.replica.world.core import as_decimal

_STATUS = {"proposed": "closed", "unlisted": None}


@dataclass(slots=True)
class Truth:
    """The public tables as of one moment."""

    as_of: datetime
    trades: list[Row] = field(default_factory=list)
    markets: list[Row] = field(default_factory=list)
    contracts: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    traders: list[Row] = field(default_factory=list)
    wallet_positions: list[Row] = field(default_factory=list)
    wallet_market_pnl: list[Row] = field(default_factory=list)
    wallet_scores_by_category: list[Row] = field(default_factory=list)
    wallet_scores: list[Row] = field(default_factory=list)


# ---- the whole ----


def truth(
    world: World,
    now: int,
    *,
    wallets: Collection[str] | None = None,
    as_of: int | None = None,
    parameters: Parameters | None = None,
) -> Truth:
    """The tables after a complete sync of `wallets` (None: all) that ended at `now`.

    `as_of` (None: `now`) cuts off everything later from positions, PnL and scores; `trades`,
    `markets`, `contracts` and `events` are what the venue showed at `now`.
    """
    synced = sorted(world.wallets if wallets is None else wallets)
    cut = now if as_of is None else as_of
    rules = parameters or Parameters()
    fills = {wallet: world.visible_fills(wallet, now) for wallet in synced}
    keeper = Bookkeeper(world, now, known_markets(world, synced, now))
    markets = {one: market for one, market in world.markets.items() if one in keeper.known}
    result = Truth(as_of=moment(cut))
    result.trades = [_trade(world, f, markets) for wallet in synced for f in fills[wallet]]
    result.markets = [_market(world, market, now) for market in markets.values()]
    result.contracts = [row for m in markets.values() for row in _contracts(world, m, now)]
    result.events = _events(world, markets, now)
    result.traders = [_trader(wallet, fills[wallet]) for wallet in synced]
    kept = accounts(world, keeper, synced, cut)
    result.wallet_positions, result.wallet_market_pnl = kept.positions, kept.markets
    scores = Scores(kept.observations, cut, rules)
    result.wallet_scores_by_category = scores.by_category(kept.categories)
    result.wallet_scores = scores.overall(wallet for wallet in synced if kept.categories[wallet])
    return result


# ---- trades, markets, events, traders ----


def _trade(world: World, fill: Fill, markets: dict[str, Market]) -> Row:
    """Prices to nine decimals. Trades of a market that the venue never lists keep no names."""
    market = markets.get(fill.condition_id)
    price = rounded(Fraction(fill.usdc_micro * 10**9, fill.shares_micro))
    return {
        "venue": VENUE,
        "wallet_address": fill.wallet,
        "condition_id": fill.condition_id,
        "market_id": fill.condition_id,
        "event_slug": world.event_of(market).slug if market else None,
        "token_id": fill.token_id,
        "outcome": market.outcomes[fill.outcome_index] if market else None,
        "side": fill.side,
        "price": nano(price),
        "shares": micro(fill.shares_micro),
        "usd_value": micro(fill.usdc_micro),
        "fee_usd": micro(fill.fee_micro),
        "timestamp": moment(fill.timestamp),
        "transaction_hash": fill.transaction_hash,
        "log_index": fill.log_index,
        "order_hash": fill.order_hash,
    }


def _tags(event: Event) -> str:
    return ",".join(sorted({tag.slug for tag in event.tags}))


def _market(world: World, market: Market, now: int) -> Row:
    state = market_state(market, now)
    event = world.event_of(market)
    payouts = market.payouts if state == "resolved" and market.payouts else ()
    winners = [name for name, paid in zip(market.outcomes, payouts, strict=False) if paid == 1]
    done = state in ("resolved", "voided")
    return {
        "venue": VENUE,
        "market_id": market.condition_id,
        "condition_id": market.condition_id,
        "event_slug": event.slug,
        "title": market.question,
        "category": event.category,
        "tags": _tags(event),
        "status": _STATUS.get(state, state),
        "closed": state in ("closed", "proposed", "resolved", "voided"),
        "end_date": moment(event.ends_at),
        "resolved_at": moment(market.resolved_at) if done and market.resolved_at else None,
        "winning_outcome": winners[0] if winners else None,
        "volume": micro(world.volume_micro(market.condition_id, now)),
    }


def _contracts(world: World, market: Market, now: int) -> Iterator[Row]:
    resolved = market_state(market, now) == "resolved"
    prices = world.outcome_prices(market, now)
    for index, token_id in enumerate(market.token_ids):
        paid = market.payouts[index] if resolved and market.payouts else None
        yield {
            "venue": VENUE,
            "market_id": market.condition_id,
            "contract_id": token_id,
            "outcome": market.outcomes[index],
            "outcome_index": index,
            "payout": None if paid is None else as_decimal(paid),
            "last_price": prices[index],
        }


def _events(world: World, markets: dict[str, Market], now: int) -> list[Row]:
    """`markets` counts what the venue lists, `known_markets` what the warehouse was led to."""
    known: dict[str, int] = defaultdict(int)
    for market in markets.values():
        known[market.event_id] += 1
    rows = []
    for event_id, count in known.items():
        event = world.events[event_id]
        states = [market_state(market, now) for market in world.markets_by_event[event_id]]
        rows.append(
            {
                "venue": VENUE,
                "event_slug": event.slug,
                "title": event.title,
                "category": event.category,
                "tags": _tags(event),
                "start_date": moment(event.starts_at),
                "end_date": moment(event.ends_at),
                "markets": sum(state != "unlisted" for state in states),
                "known_markets": count,
            }
        )
    return rows


def _trader(wallet: str, fills: list[Fill]) -> Row:
    return {
        "wallet_address": wallet,
        "first_trade_at": moment(fills[0].timestamp) if fills else None,
        "last_trade_at": moment(fills[-1].timestamp) if fills else None,
        "trades": len(fills),
        "volume_usd": micro(sum(fill.usdc_micro for fill in fills)),
        "is_contract": False,
    }


# ---- scores ----


@dataclass(slots=True)
class Sums:
    """What a score row is made of: scored observations added up, in nano-dollars."""

    markets: int = 0
    wins: int = 0
    losses: int = 0
    gains: int = 0
    lost: int = 0
    gains_squared: int = 0
    lost_squared: int = 0
    stake: int = 0
    unscored_stake: int = 0

    def add(self, seen: Observation) -> None:
        if not seen.is_scored:
            self.unscored_stake += seen.stake
            return
        gain, loss = max(seen.pnl, 0), max(-seen.pnl, 0)
        self.markets += 1
        self.wins += seen.pnl > 0
        self.losses += seen.pnl < 0
        self.gains += gain
        self.lost += loss
        self.gains_squared += gain * gain
        self.lost_squared += loss * loss
        self.stake += seen.stake


class Scores:
    """Score rows over observations that resolved by `cut`."""

    def __init__(self, observations: list[Observation], cut: int, rules: Parameters) -> None:
        self.cut = cut
        self.rules = rules
        #: (wallet, category or None for all, period) -> sums; and the same pooled over wallets.
        self._sums: dict[tuple[str, str | None, str], Sums] = defaultdict(Sums)
        self._pooled: dict[tuple[str | None, str], Sums] = defaultdict(Sums)
        for seen in observations:
            for period, days in PERIODS.items():
                since = None if days is None else cut - days * DAY
                if since is not None and seen.resolved_at <= since:
                    continue
                for category in (seen.category, None):
                    self._sums[seen.wallet, category, period].add(seen)
                    self._pooled[category, period].add(seen)

    def by_category(self, categories: dict[str, set[str]]) -> list[Row]:
        """Every wallet x category with a position x period."""
        pairs = [(wallet, name) for wallet, names in categories.items() for name in sorted(names)]
        rows = [self._row(wallet, name, period) for wallet, name in pairs for period in PERIODS]
        return _ranked(rows)

    def overall(self, wallets: Iterable[str]) -> list[Row]:
        rows = [self._row(wallet, None, period) for wallet in wallets for period in PERIODS]
        for row in rows:
            del row["category"]
        return _ranked(rows)

    def _row(self, wallet: str, category: str | None, period: str) -> Row:
        sums = self._sums.get((wallet, category, period), Sums())
        reason = self._withheld_reason(wallet, sums)
        status = self._status(sums, reason)
        ratio = low = high = None
        if status in ("ok", "too_few"):
            ratio = float(Fraction(sums.gains, sums.lost))
            low, high = _interval(sums)
        shown = reason is None and sums.markets > 0
        return {
            "wallet_address": wallet,
            "category": category,
            "period": period,
            "as_of": moment(self.cut),
            "resolved_markets": sums.markets,
            "wins": sums.wins,
            "losses": sums.losses,
            "total_gains": nano(sums.gains),
            "total_losses": nano(sums.lost),
            "total_pnl": nano(sums.gains - sums.lost),
            "omega_ratio": ratio,
            "omega_status": status,
            "withheld_reason": reason,
            "omega_low": low,
            "omega_high": high,
            "omega_shrunk": self._shrunk(sums, category, period) if shown else None,
            "effective_markets": _effective_markets(sums),
            "win_rate": sums.wins / sums.markets if shown else None,
            "roi": _quotient(sums.gains - sums.lost, sums.stake) if shown else None,
            "rank": None,
        }

    def _withheld_reason(self, wallet: str, sums: Sums) -> str | None:
        if wallet in self.rules.incomplete_wallets:
            return "history_incomplete"
        stake = sums.stake + sums.unscored_stake
        limit = self.rules.omega_max_unscored_stake_share
        if stake and Fraction(sums.unscored_stake, stake) > limit:
            return "ledger_break"
        return None

    def _status(self, sums: Sums, withheld_reason: str | None) -> str:
        if withheld_reason is not None:
            return "withheld"
        if sums.markets == 0:
            return "no_resolved"
        if sums.lost == 0:
            return "no_losses"
        return "too_few" if sums.markets < self.rules.omega_min_markets else "ok"

    def _shrunk(self, sums: Sums, category: str | None, period: str) -> float | None:
        """(G + k c Omega0) / (L + k c), c the row's mean stake, Omega0 the pooled ratio."""
        pooled = self._pooled[category, period]
        if pooled.lost == 0:
            return None
        weight = self.rules.omega_shrinkage_k * Fraction(sums.stake, sums.markets)
        denominator = sums.lost + weight
        if denominator == 0:
            return None
        return float((sums.gains + weight * Fraction(pooled.gains, pooled.lost)) / denominator)


def _interval(sums: Sums) -> tuple[float | None, float | None]:
    """omega x exp(-+1.96 se), se = sqrt(sum g^2 / (sum g)^2 + sum l^2 / (sum l)^2).

    Without a gain there is nothing to scale: no interval.
    """
    if sums.gains == 0:
        return None, None
    variance = Fraction(sums.gains_squared, sums.gains**2)
    variance += Fraction(sums.lost_squared, sums.lost**2)
    spread = Z * math.sqrt(variance)
    omega = float(Fraction(sums.gains, sums.lost))
    return omega * math.exp(-spread), omega * math.exp(spread)


def _effective_markets(sums: Sums) -> float | None:
    """(sum |pnl|)^2 / sum pnl^2: how many equal results would be as concentrated."""
    squares = sums.gains_squared + sums.lost_squared
    return _quotient((sums.gains + sums.lost) ** 2, squares)


def _quotient(numerator: int, denominator: int) -> float | None:
    return float(Fraction(numerator, denominator)) if denominator else None


def _ranked(rows: list[Row]) -> list[Row]:
    """Gives ranks to rows with status ok, by omega_low within (category, period), unknown last."""
    groups: dict[tuple[str | None, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row["omega_status"] == "ok":
            groups[row.get("category"), row["period"]].append(row)
    for group in groups.values():
        group.sort(key=lambda row: row["wallet_address"])
        group.sort(key=lambda row: row["total_pnl"], reverse=True)
        group.sort(
            key=lambda row: -math.inf if row["omega_low"] is None else row["omega_low"],
            reverse=True,
        )
        for position, row in enumerate(group, start=1):
            row["rank"] = position
    return rows
