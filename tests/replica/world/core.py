"""The world itself: what happened, indexes over it, and what the venue shows at a moment."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Literal

from tests.replica.model import Entry, Event, Fill, Market, Transfer, Wallet

State = Literal["unlisted", "upcoming", "open", "closed", "proposed", "resolved", "voided"]
ResolutionStatus = Literal["proposed", "disputed", "resolved"]

SHORT_MARKET_SECONDS = 900
COMBO_ID_LENGTH = 2 + 62

_HALF = Decimal("0.5")
_NEAR = Decimal("0.0005")
_MILLI = Decimal("0.001")


def is_combo(condition_id: str) -> bool:
    """A bet on several markets at once: 62 hex digits; its rows carry no slug, event or outcome."""
    return len(condition_id) == COMBO_ID_LENGTH


def is_automatic(market: Market) -> bool:
    """Settled without the oracle: short price games, and markets older than the oracle.

    Their umaResolutionStatus stays absent, even when they are resolved.
    """
    short = market.closes_at - market.opens_at <= SHORT_MARKET_SECONDS
    return short or market.legacy_category is not None


def proposed_at(market: Market) -> int | None:
    """When an outcome is proposed: a third of the way from the close to the resolution."""
    if market.resolved_at is None:
        return None
    return market.closes_at + (market.resolved_at - market.closes_at) // 3


def market_state(market: Market, now: int) -> State:
    """`unlisted` before it is created, and for ever when the venue never lists it."""
    if not market.listed or now < market.created_at:
        return "unlisted"
    if now < market.opens_at:
        return "upcoming"
    if now < market.closes_at:
        return "open"
    if market.resolved_at is not None and now >= market.resolved_at:
        return "resolved" if market.payouts is not None else "voided"
    proposed = proposed_at(market)
    return "proposed" if proposed is not None and now >= proposed else "closed"


def resolution_status(market: Market, now: int) -> ResolutionStatus | None:
    """Gamma's umaResolutionStatus. None: the field is absent."""
    state = market_state(market, now)
    if state in ("resolved", "voided"):
        return None if is_automatic(market) else "resolved"
    if state != "proposed" or is_automatic(market):
        return None
    assert market.resolved_at is not None
    # One in five proposals is disputed on its second half.
    disputed = int(market.id) % 5 == 0 and 2 * now > (proposed_at(market) or 0) + market.resolved_at
    return "disputed" if disputed else "proposed"


def closed_time(market: Market, now: int) -> int | None:
    """Gamma's closedTime: the end of trading, then, once resolved, the moment of the resolution."""
    state = market_state(market, now)
    if state in ("resolved", "voided"):
        return market.resolved_at
    return market.closes_at if state in ("closed", "proposed") else None


def as_decimal(fraction: Fraction) -> Decimal:
    """Exact for the fractions of this world, whose denominators divide a power of ten."""
    value = Decimal(fraction.numerator) / Decimal(fraction.denominator)
    assert Fraction(value) == fraction, f"{fraction} is no decimal fraction"
    return value


@dataclass(frozen=True, slots=True)
class Tape:
    """The matches of a market in time order: cumulative one-sided volume, price of outcome 0."""

    timestamps: list[int]
    volume_micro: list[int]
    prices: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class TradeLabels:
    """What a trade row says about its market. Fresh rows are not enriched yet."""

    title: str
    slug: str
    event_slug: str
    outcome: str
    outcome_index: int


@dataclass(eq=False)
class World:
    """A finished story. Nothing in it changes; a moment `now` only hides what is not yet visible.

    `fills` and `entries` are sorted by (timestamp, sequence_id); sequence ids are unique over both.
    A few old markets and their trades lie before `starts_at`. `transfers` are in order of time.
    """

    seed: int
    starts_at: int
    ends_at: int
    fees_begin_at: int
    wallets: dict[str, Wallet]
    events: dict[str, Event]
    markets: dict[str, Market]
    fills: list[Fill]
    entries: list[Entry]
    transfers: list[Transfer] = field(default_factory=list)

    # ---- indexes, built on first use ----

    @cached_property
    def fills_by_wallet(self) -> dict[str, list[Fill]]:
        """Every wallet has a list, possibly empty; oldest first."""
        index: dict[str, list[Fill]] = {address: [] for address in self.wallets}
        for fill in self.fills:
            index[fill.wallet].append(fill)
        return index

    @cached_property
    def fills_by_condition(self) -> dict[str, list[Fill]]:
        index: dict[str, list[Fill]] = {condition_id: [] for condition_id in self.markets}
        for fill in self.fills:
            index[fill.condition_id].append(fill)
        return index

    @cached_property
    def entries_by_wallet(self) -> dict[str, list[Entry]]:
        index: dict[str, list[Entry]] = {address: [] for address in self.wallets}
        for entry in self.entries:
            index[entry.wallet].append(entry)
        return index

    @cached_property
    def transfers_by_wallet(self) -> dict[str, list[Transfer]]:
        index: dict[str, list[Transfer]] = {address: [] for address in self.wallets}
        for transfer in self.transfers:
            index[transfer.wallet].append(transfer)
        return index

    @cached_property
    def markets_by_event(self) -> dict[str, tuple[Market, ...]]:
        return {
            event.id: tuple(self.markets[condition] for condition in event.condition_ids)
            for event in self.events.values()
        }

    @cached_property
    def markets_by_id(self) -> dict[str, Market]:
        return {market.id: market for market in self.markets.values()}

    @cached_property
    def markets_by_slug(self) -> dict[str, Market]:
        return {market.slug: market for market in self.markets.values()}

    @cached_property
    def events_by_slug(self) -> dict[str, Event]:
        return {event.slug: event for event in self.events.values()}

    @cached_property
    def tokens(self) -> dict[str, tuple[Market, int]]:
        """token id -> (market, index of the outcome)."""
        return {
            token: (market, index) for market in self.markets.values() for index, token in enumerate(market.token_ids)
        }

    @cached_property
    def _tapes(self) -> dict[str, Tape]:
        tapes: dict[str, Tape] = defaultdict(lambda: Tape([], [], []))
        for fill in self.fills:
            # Each match shows one taker row: counting takers counts a match once.
            if not fill.is_taker:
                continue
            tape = tapes[fill.condition_id]
            before = tape.volume_micro[-1] if tape.volume_micro else 0
            tape.timestamps.append(fill.timestamp)
            tape.volume_micro.append(before + fill.usdc_micro)
            usdc = fill.usdc_micro
            first = usdc if fill.outcome_index == 0 else fill.shares_micro - usdc
            tape.prices.append((first, fill.shares_micro))
        return dict(tapes)

    # ---- what is visible ----

    def event_of(self, market: Market) -> Event:
        return self.events[market.event_id]

    def visible_fills(self, wallet: str, now: int) -> list[Fill]:
        """The wallet's fills that the venue serves at `now`: oldest first, late rows in place."""
        return [fill for fill in self.fills_by_wallet[wallet] if fill.visible_at <= now]

    def visible_entries(self, wallet: str, now: int) -> list[Entry]:
        return [entry for entry in self.entries_by_wallet[wallet] if entry.visible_at <= now]

    def listed_markets(self, now: int) -> list[Market]:
        """Markets that Gamma knows at `now`, in order of creation."""
        return [m for m in self.markets.values() if market_state(m, now) != "unlisted"]

    def listed_events(self, now: int) -> list[Event]:
        """Events with at least one listed market."""
        names = {market.event_id for market in self.listed_markets(now)}
        return [event for event in self.events.values() if event.id in names]

    def trade_labels(self, fill: Fill, now: int) -> TradeLabels:
        """Labels of a trade or activity row at `now`.

        Rows of unlisted markets never get an event; rows of combos name no outcome either.
        """
        market = self.markets[fill.condition_id]
        if is_combo(market.condition_id):
            return TradeLabels(market.question, "", "", "", 999)
        enriched = now >= fill.enriched_at and market.listed
        return TradeLabels(
            title=market.question,
            slug=market.slug,
            event_slug=self.event_of(market).slug if enriched else "",
            outcome=market.outcomes[fill.outcome_index],
            outcome_index=fill.outcome_index if enriched else 999,
        )

    # ---- market numbers ----

    def volume_micro(self, condition_id: str, now: int, since: int = 0) -> int:
        """One-sided traded dollars in (since, now], in millionths. A binary search, not a scan."""
        tape = self._tapes.get(condition_id)
        if tape is None:
            return 0
        upper = bisect_right(tape.timestamps, now)
        lower = bisect_right(tape.timestamps, since)
        total = tape.volume_micro[upper - 1] if upper else 0
        return total - (tape.volume_micro[lower - 1] if lower else 0)

    def last_price(self, condition_id: str, now: int) -> Decimal:
        """Last traded price of outcome 0 to a thousandth, never 0 or 1; 0.5 before any trade."""
        tape = self._tapes.get(condition_id)
        position = bisect_right(tape.timestamps, now) if tape is not None else 0
        if tape is None or position == 0:
            return _HALF
        usdc, shares = tape.prices[position - 1]
        price = (Decimal(usdc) / Decimal(shares)).quantize(_MILLI)
        return min(max(price, _MILLI), 1 - _MILLI)

    def outcome_prices(self, market: Market, now: int) -> tuple[Decimal, ...]:
        """Gamma's outcomePrices. Exact payouts only once resolved; 0/0 when there is no payout.

        A market that is closed and undecided never shows 0.5/0.5 or 1/0: without an oracle status
        those would be payouts. A market of the old days that never resolved shows 0/0.
        """
        state = market_state(market, now)
        if state == "resolved":
            assert market.payouts is not None
            return tuple(as_decimal(payout) for payout in market.payouts)
        forgotten = market.ending == "never" and market.legacy_category is not None
        if state == "voided" or (forgotten and state == "closed"):
            return (Decimal(0), Decimal(0))
        if state == "proposed" and market.payouts is not None:
            payout = as_decimal(market.payouts[0])
            first = payout - _NEAR if payout == 1 else payout + _NEAR
        else:
            first = self.last_price(market.condition_id, now)
            if state in ("closed", "proposed") and first == _HALF:
                first = Decimal("0.505")
        return (first, 1 - first)
