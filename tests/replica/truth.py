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
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.replica.model import Event, Fill, Market
from tests.replica.world import World, market_state
from tests.replica.world.core import as_decimal

Row = dict[str, Any]

VENUE = "polymarket"
UNCATEGORIZED = "Uncategorized"
DAY = 86400
#: Days that each period looks back from `as_of`, by the moment of resolution.
PERIODS: dict[str, int | None] = {"all": None, "365d": 365, "90d": 90, "30d": 30}
NANO_PER_MICRO = 1000
#: Of a two-sided 95 % interval.
Z = 1.96

_STATUS = {"proposed": "closed", "unlisted": None}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The project's variables, and which wallets' histories were not read to their beginning."""

    omega_min_markets: int = 10
    omega_shrinkage_k: int = 10
    omega_max_unscored_stake_share: Fraction = Fraction(1, 4)
    incomplete_wallets: frozenset[str] = frozenset()


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


@dataclass(slots=True)
class Position:
    """A wallet's trades in one outcome, in millionths."""

    wallet: str
    market: Market
    outcome_index: int
    bought: int = 0
    sold: int = 0
    bought_usd: int = 0
    sold_usd: int = 0
    buy_fees: int = 0
    sell_fees: int = 0
    trades: int = 0

    def add(self, fill: Fill) -> None:
        self.trades += 1
        if fill.side == "BUY":
            self.bought += fill.shares_micro
            self.bought_usd += fill.usdc_micro
            self.buy_fees += fill.fee_micro
        else:
            self.sold += fill.shares_micro
            self.sold_usd += fill.usdc_micro
            self.sell_fees += fill.fee_micro

    @property
    def held(self) -> int:
        return self.bought - self.sold

    @property
    def fees(self) -> int:
        return self.buy_fees + self.sell_fees

    @property
    def cash_flow(self) -> int:
        return self.sold_usd - self.bought_usd - self.fees

    @property
    def cost(self) -> int:
        return self.bought_usd + self.buy_fees

    @property
    def cost_of_sold(self) -> int:
        """Average cost over the whole history of the shares sold, to a millionth of a dollar."""
        if not self.bought:
            return 0
        return rounded(Fraction(self.cost * min(self.sold, self.bought), self.bought))

    def value_nano(self, price: Fraction) -> int:
        """Shares held x price, to a nano-dollar."""
        return rounded(self.held * price * NANO_PER_MICRO)


@dataclass(frozen=True, slots=True)
class Observation:
    """A resolved wallet x market: what scores are made of. Nano-dollars."""

    wallet: str
    category: str
    resolved_at: int
    pnl: int
    stake: int
    is_scored: bool


# ---- numbers ----


def rounded(value: Fraction) -> int:
    """To the nearest integer, halves away from zero, as both warehouses round."""
    whole = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return whole if value >= 0 else -whole


def micro(value: int) -> Decimal:
    return Decimal(value).scaleb(-6)


def nano(value: int) -> Decimal:
    return Decimal(value).scaleb(-9)


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


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
    markets = _known_markets(world, synced, fills, now)
    result = Truth(as_of=moment(cut))
    result.trades = [_trade(world, f, markets) for wallet in synced for f in fills[wallet]]
    result.markets = [_market(world, market, now) for market in markets.values()]
    result.contracts = [row for m in markets.values() for row in _contracts(world, m, now)]
    result.events = _events(world, markets, now)
    result.traders = [_trader(wallet, fills[wallet]) for wallet in synced]
    ledger = Ledger(world, markets, now, cut)
    observations: list[Observation] = []
    categories: dict[str, set[str]] = {}
    for wallet in synced:
        past = [fill for fill in fills[wallet] if fill.timestamp <= cut]
        categories[wallet] = set()
        for positions in ledger.positions(wallet, past):
            rows = [ledger.position_row(position) for position in positions]
            result.wallet_positions += rows
            result.wallet_market_pnl.append(ledger.market_row(positions, rows))
            categories[wallet].add(ledger.category(positions[0].market))
            observations += ledger.observations(positions)
    scores = Scores(observations, cut, rules)
    result.wallet_scores_by_category = scores.by_category(categories)
    result.wallet_scores = scores.overall(wallet for wallet in synced if categories[wallet])
    return result


def _known_markets(world: World, synced: list[str], fills: dict[str, list[Fill]], now: int) -> dict[str, Market]:
    """Markets that the synced trades and ledgers name and that the venue lists, in order of id."""
    named = {fill.condition_id for wallet in synced for fill in fills[wallet]}
    for wallet in synced:
        named |= {entry.condition_id for entry in world.visible_entries(wallet, now)}
    return {
        condition_id: market
        for condition_id, market in world.markets.items()
        if condition_id in named and market_state(market, now) != "unlisted"
    }


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


# ---- positions and PnL ----


class Ledger:
    """Positions of trades, fees and resolution, up to `cut`, with what the venue knew at `now`."""

    def __init__(self, world: World, markets: dict[str, Market], now: int, cut: int) -> None:
        self.world = world
        self.markets = markets
        self.now = now
        self.cut = cut
        self._reshaped: dict[str, set[str]] = {}
        self._converted: dict[str, set[str]] = {}

    def state(self, market: Market) -> str:
        """`unknown` for a market that the venue does not list; nothing resolves after the cut."""
        if market.condition_id not in self.markets:
            return "unknown"
        return market_state(market, min(self.now, self.cut))

    def category(self, market: Market) -> str:
        known = market.condition_id in self.markets
        return self.world.event_of(market).category if known else UNCATEGORIZED

    def positions(self, wallet: str, fills: Iterable[Fill]) -> list[list[Position]]:
        """The wallet's positions, by market."""
        by_market: dict[str, dict[int, Position]] = {}
        for fill in fills:
            outcomes = by_market.setdefault(fill.condition_id, {})
            position = outcomes.get(fill.outcome_index)
            if position is None:
                market = self.world.markets[fill.condition_id]
                position = outcomes[fill.outcome_index] = Position(wallet, market, fill.outcome_index)
            position.add(fill)
        return [list(outcomes.values()) for outcomes in by_market.values()]

    def _breaks(self, wallet: str) -> tuple[set[str], set[str]]:
        """(markets where the wallet split or merged, events where it converted)."""
        if wallet not in self._reshaped:
            past = [entry for entry in self.world.visible_entries(wallet, self.now) if entry.timestamp <= self.cut]
            self._reshaped[wallet] = {e.condition_id for e in past if e.type in ("SPLIT", "MERGE")}
            self._converted[wallet] = {e.event_id for e in past if e.type == "CONVERSION"}
        return self._reshaped[wallet], self._converted[wallet]

    def is_conserved(self, position: Position) -> bool:
        """Whether trades alone explain the shares."""
        reshaped, converted = self._breaks(position.wallet)
        market = position.market
        if market.condition_id in reshaped or market.event_id in converted:
            return False
        return position.sold <= position.bought

    def resolved_pnl(self, position: Position) -> int | None:
        """Nano-dollars: sells - buys - fees + (bought - sold) x payout; None until it resolves."""
        market = position.market
        if self.state(market) != "resolved" or market.payouts is None:
            return None
        value = position.value_nano(market.payouts[position.outcome_index])
        return position.cash_flow * NANO_PER_MICRO + value

    def _unrealized_pnl(self, position: Position) -> int | None:
        """Nano-dollars: what is held at the newest price, less its average cost."""
        if self.state(position.market) in ("unknown", "resolved", "voided"):
            return None
        price = self.world.outcome_prices(position.market, self.now)[position.outcome_index]
        cost_of_held = position.cost - position.cost_of_sold
        return position.value_nano(Fraction(price)) - cost_of_held * NANO_PER_MICRO

    def position_row(self, position: Position) -> Row:
        market, state = position.market, self.state(position.market)
        resolved, unrealized = self.resolved_pnl(position), self._unrealized_pnl(position)
        known = state != "unknown"
        open_or_closed = "open" if position.held else "closed"
        return {
            "wallet_address": position.wallet,
            "market_id": market.condition_id,
            "condition_id": market.condition_id,
            "token_id": market.token_ids[position.outcome_index],
            "outcome": market.outcomes[position.outcome_index] if known else None,
            "trades": position.trades,
            "shares_bought": micro(position.bought),
            "shares_sold": micro(position.sold),
            "shares_held": micro(position.held),
            "bought_usd": micro(position.bought_usd),
            "sold_usd": micro(position.sold_usd),
            "fees_usd": micro(position.fees),
            "cash_flow_usd": micro(position.cash_flow),
            "realized_cash_pnl": micro(position.sold_usd - position.sell_fees - position.cost_of_sold),
            "resolved_pnl": None if resolved is None else nano(resolved),
            "unrealized_pnl": None if unrealized is None else nano(unrealized),
            "status": state if state in ("resolved", "voided") else open_or_closed,
            "is_conserved": self.is_conserved(position),
        }

    def not_scored_reason(self, positions: list[Position]) -> str | None:
        state = self.state(positions[0].market)
        if state == "unknown":
            return "market_unknown"
        if state != "resolved":
            return "voided" if state == "voided" else "not_resolved"
        conserved = all(self.is_conserved(position) for position in positions)
        return None if conserved else "ledger_break"

    def market_row(self, positions: list[Position], rows: list[Row]) -> Row:
        """A wallet's market: its positions added up. A basis unknown for one outcome is unknown."""
        market, state = positions[0].market, self.state(positions[0].market)
        reason = self.not_scored_reason(positions)
        done = state in ("resolved", "voided")
        known = state != "unknown"
        return {
            "wallet_address": positions[0].wallet,
            "market_id": market.condition_id,
            "condition_id": market.condition_id,
            "event_slug": self.world.event_of(market).slug if known else None,
            "category": self.category(market),
            "resolved_at": moment(market.resolved_at) if done and market.resolved_at else None,
            "realized_cash_pnl": _total(rows, "realized_cash_pnl"),
            "resolved_pnl": _total(rows, "resolved_pnl"),
            "unrealized_pnl": _total(rows, "unrealized_pnl"),
            "stake_usd": micro(sum(position.cost for position in positions)),
            "fees_usd": _total(rows, "fees_usd"),
            "is_conserved": all(row["is_conserved"] for row in rows),
            "is_scored": reason is None,
            "not_scored_reason": reason,
        }

    def observations(self, positions: list[Position]) -> Iterator[Observation]:
        """One for a resolved market, none for any other."""
        market = positions[0].market
        pnls = [self.resolved_pnl(position) for position in positions]
        if market.resolved_at is None or None in pnls:
            return
        yield Observation(
            wallet=positions[0].wallet,
            category=self.category(market),
            resolved_at=market.resolved_at,
            pnl=sum(pnl for pnl in pnls if pnl is not None),
            stake=sum(position.cost for position in positions) * NANO_PER_MICRO,
            is_scored=self.not_scored_reason(positions) is None,
        )


def _total(rows: list[Row], column: str) -> Decimal | None:
    values = [row[column] for row in rows]
    return None if None in values else sum(values, Decimal(0))


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
