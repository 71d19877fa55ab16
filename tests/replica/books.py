"""The whole ledger of a world, worked out from its objects alone: every kind of entry, position by position.

What the venue's rows do not say has to be concluded from what they do say, and is concluded here by the same rules as
docs/pnl.md gives, in other words: which shares a redemption took, and which legs a conversion gave. Shares are integers
of millionths, dollars of billionths ("nano"), ratios fractions; nothing here reads JSON or SQL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tests.replica.model import Entry, Fill, Market
from tests.replica.world import World, market_state

MICRO = 1_000_000
#: How many conversions of one event, one after another, can be concluded from each other.
ROUNDS = 3
NANO_PER_MICRO = 1000
#: Entries that are income of a wallet and of no market.
INCOME = frozenset({"REWARD", "MAKER_REBATE", "TAKER_REBATE", "REFERRAL_REWARD", "YIELD"})


def rounded(value: Fraction) -> int:
    """To the nearest integer, halves away from zero, as both warehouses round."""
    whole = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return whole if value >= 0 else -whole


def to_micro(nano: Fraction | int) -> int:
    """Dollars rounded to a millionth, in billionths."""
    return rounded(Fraction(nano) / NANO_PER_MICRO) * NANO_PER_MICRO


@dataclass(slots=True)
class Book:
    """One outcome in one wallet. Shares in millionths, money in nano-dollars.

    `in_moments` and `out_moments` are shares x UNIX seconds of what came in and of what left otherwise than by
    redemption.
    """

    wallet: str
    market: Market
    outcome: int
    trades: int = 0
    bought: int = 0
    sold: int = 0
    split: int = 0
    merged: int = 0
    redeemed: int = 0
    converted_in: int = 0
    converted_out: int = 0
    bought_usd: int = 0
    sold_usd: int = 0
    buy_fees: int = 0
    sell_fees: int = 0
    split_usd: int = 0
    merge_usd: int = 0
    redeem_usd: int = 0
    converted_in_usd: int = 0
    converted_out_usd: int = 0
    in_moments: int = 0
    out_moments: int = 0
    is_redemption_clear: bool = True
    is_conversion_clear: bool = True

    @property
    def fees(self) -> int:
        return self.buy_fees + self.sell_fees

    @property
    def acquired(self) -> int:
        return self.bought + self.split + self.converted_in

    @property
    def disposed(self) -> int:
        return self.sold + self.merged + self.redeemed + self.converted_out

    @property
    def held(self) -> int:
        return max(self.acquired - self.disposed, 0)

    @property
    def transferred(self) -> int:
        """Received without a ledger row, at least."""
        return max(self.disposed - self.acquired, 0)

    @property
    def is_conserved(self) -> bool:
        return not self.transferred and self.is_redemption_clear and self.is_conversion_clear

    @property
    def cost(self) -> int:
        return self.bought_usd + self.buy_fees + self.split_usd + self.converted_in_usd

    @property
    def stake(self) -> int:
        return self.bought_usd + self.buy_fees + self.split_usd

    @property
    def cost_of_disposed(self) -> int:
        """Average cost over the whole history of the shares that left, to a millionth of a dollar."""
        if not self.acquired:
            return 0
        return to_micro(Fraction(self.cost * min(self.disposed, self.acquired), self.acquired))

    @property
    def cash_before_redemption(self) -> int:
        given = self.bought_usd + self.fees + self.split_usd + self.converted_in_usd
        return self.sold_usd + self.merge_usd + self.converted_out_usd - given

    @property
    def cash_flow(self) -> int:
        return self.cash_before_redemption + self.redeem_usd

    @property
    def realized_cash_pnl(self) -> int:
        proceeds = self.sold_usd - self.sell_fees + self.merge_usd + self.redeem_usd + self.converted_out_usd
        return proceeds - self.cost_of_disposed

    def resolved_pnl(self, payout: Fraction) -> int:
        """Valued by resolution: what was redeemed counts as if it were still held."""
        left = self.acquired - self.disposed + self.redeemed
        return self.cash_before_redemption + rounded(left * payout * NANO_PER_MICRO)

    def unrealized_pnl(self, price: Fraction) -> int:
        value = rounded(self.held * price * NANO_PER_MICRO)
        return value - (self.cost - self.cost_of_disposed)


@dataclass(slots=True)
class Conversion:
    """A conversion with the legs that its row allows to conclude; `given` None: they are not clear."""

    entry: Entry
    given: tuple[str, ...] | None


@dataclass(slots=True)
class WalletBooks:
    """All of a wallet's positions as of a moment, by market, and its income."""

    markets: dict[str, list[Book]] = field(default_factory=dict)
    income: int = 0
    conversions: list[Conversion] = field(default_factory=list)


class Bookkeeper:
    """Keeps books of wallets from what the venue shows at `now`.

    Positions exist in `known` markets, and, for trades alone, in others.
    """

    def __init__(self, world: World, now: int, known: Iterable[str]) -> None:
        self.world = world
        self.now = now
        self.known = frozenset(known)

    def state(self, market: Market, cut: int) -> str:
        return market_state(market, min(self.now, cut)) if market.condition_id in self.known else "unknown"

    def books(self, wallet: str, cut: int) -> WalletBooks:
        """The wallet's books of everything that happened up to `cut`."""
        fills = [fill for fill in self.world.visible_fills(wallet, self.now) if fill.timestamp <= cut]
        entries = [entry for entry in self.world.visible_entries(wallet, self.now) if entry.timestamp <= cut]
        result = WalletBooks()
        shelf = Shelf(self.world, wallet)
        for fill in fills:
            shelf.trade(fill)
        for entry in entries:
            if entry.type in INCOME:
                result.income += entry.usdc_micro * NANO_PER_MICRO
            elif entry.type in ("SPLIT", "MERGE") and entry.condition_id in self.known:
                shelf.reshape(entry)
        movements = Movements(fills, entries)
        result.conversions = self._concluded([entry for entry in entries if entry.type == "CONVERSION"], movements)
        for conversion in result.conversions:
            shelf.convert(conversion, movements)
        redemptions: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            if entry.type == "REDEEM" and entry.condition_id in self.known:
                redemptions[entry.condition_id].append(entry)
        for condition_id, rows in redemptions.items():
            market = self.world.markets[condition_id]
            payouts = market.payouts if self.state(market, cut) == "resolved" else None
            shelf.redeem(market, payouts, rows, movements, result.conversions)
        result.markets = shelf.by_market()
        for conversion in result.conversions:
            if conversion.given is None:
                for condition_id in self._touched(conversion.entry, result.markets):
                    for book in result.markets.get(condition_id, ()):
                        book.is_conversion_clear = False
        return result

    def _touched(self, entry: Entry, held: Iterable[str]) -> set[str]:
        """The markets that a conversion nobody understands may have changed, of those that the wallet was in."""
        if entry.condition_id in self.known:
            return set(self.world.events[entry.event_id].condition_ids)
        families = (one.condition_ids for one in self.world.events.values() if len(one.condition_ids) > 1)
        return {entry.condition_id} | (set(held) & set().union(*families))

    def _concluded(self, entries: Sequence[Entry], movements: Movements) -> list[Conversion]:
        """What was given in each: the market that is named, or all that could have been, less what conversions that
        were clear a round before had given earlier."""
        seen = [Conversion(entry, self._named(entry)) for entry in entries]
        for _ in range(ROUNDS):
            seen = [
                one if one.given else Conversion(one.entry, self._possible(one.entry, movements, seen)) for one in seen
            ]
        return seen

    def _legs(self, entry: Entry) -> int:
        """How many markets were given; 0 where the row does not tell."""
        if entry.condition_id not in self.known:
            return 0
        legs = 1 + Fraction(entry.usdc_micro, entry.shares_micro)
        is_known = set(self.world.events[entry.event_id].condition_ids) <= self.known
        return int(legs) if is_known and legs.denominator == 1 else 0

    def _named(self, entry: Entry) -> tuple[str, ...] | None:
        return (entry.condition_id,) if self._legs(entry) == 1 else None

    def _possible(self, entry: Entry, movements: Movements, seen: Sequence[Conversion]) -> tuple[str, ...] | None:
        legs = self._legs(entry)
        if not legs:
            return None
        possible = {entry.condition_id}
        for condition_id in self.world.events[entry.event_id].condition_ids:
            gone = sum(
                one.entry.shares_micro
                for one in seen
                if one.given and condition_id in one.given and one.entry.timestamp < entry.timestamp
            )
            if movements.balance(condition_id, 1, entry.timestamp) - gone >= entry.shares_micro:
                possible.add(condition_id)
        return tuple(sorted(possible)) if len(possible) == legs else None


class Movements:
    """A wallet's trades, splits and merges, by market."""

    def __init__(self, fills: Iterable[Fill], entries: Iterable[Entry]) -> None:
        self._fills: dict[str, list[Fill]] = defaultdict(list)
        self._entries: dict[str, list[Entry]] = defaultdict(list)
        for fill in fills:
            self._fills[fill.condition_id].append(fill)
        for entry in entries:
            if entry.type in ("SPLIT", "MERGE"):
                self._entries[entry.condition_id].append(entry)

    def balance(self, condition_id: str, outcome: int, until: int) -> int:
        """Shares of an outcome that remain of what moved up to `until`."""
        total = 0
        for fill in self._fills[condition_id]:
            if fill.outcome_index == outcome and fill.timestamp <= until:
                total += fill.shares_micro if fill.side == "BUY" else -fill.shares_micro
        for entry in self._entries[condition_id]:
            if entry.timestamp <= until:
                total += entry.shares_micro if entry.type == "SPLIT" else -entry.shares_micro
        return total

    def average_price(self, condition_id: str, outcome: int, until: int) -> Fraction | None:
        """Dollars a share of what was bought and split up to `until`, without fees."""
        shares = usd = Fraction(0)
        for fill in self._fills[condition_id]:
            if fill.outcome_index == outcome and fill.side == "BUY" and fill.timestamp <= until:
                shares += fill.shares_micro
                usd += fill.usdc_micro
        for entry in self._entries[condition_id]:
            if entry.type == "SPLIT" and entry.timestamp <= until:
                shares += entry.shares_micro
                usd += Fraction(entry.usdc_micro, 2)
        return usd / shares if shares else None


class Shelf:
    """The books of one wallet while they are being written."""

    def __init__(self, world: World, wallet: str) -> None:
        self.world = world
        self.wallet = wallet
        self._books: dict[tuple[str, int], Book] = {}

    def book(self, market: Market, outcome: int) -> Book:
        key = (market.condition_id, outcome)
        if key not in self._books:
            self._books[key] = Book(self.wallet, market, outcome)
        return self._books[key]

    def by_market(self) -> dict[str, list[Book]]:
        markets: dict[str, list[Book]] = defaultdict(list)
        for (condition_id, _), book in self._books.items():
            markets[condition_id].append(book)
        return dict(markets)

    def trade(self, fill: Fill) -> None:
        book = self.book(self.world.markets[fill.condition_id], fill.outcome_index)
        book.trades += 1
        usd, fee = fill.usdc_micro * NANO_PER_MICRO, fill.fee_micro * NANO_PER_MICRO
        if fill.side == "BUY":
            book.bought += fill.shares_micro
            book.bought_usd += usd
            book.buy_fees += fee
            book.in_moments += fill.shares_micro * fill.timestamp
        else:
            book.sold += fill.shares_micro
            book.sold_usd += usd
            book.sell_fees += fee
            book.out_moments += fill.shares_micro * fill.timestamp

    def reshape(self, entry: Entry) -> None:
        """A split or a merge: an equal part of its cash for each outcome."""
        market = self.world.markets[entry.condition_id]
        part = Fraction(entry.usdc_micro * NANO_PER_MICRO, len(market.token_ids))
        assert part.denominator == 1
        for outcome in range(len(market.token_ids)):
            book = self.book(market, outcome)
            if entry.type == "SPLIT":
                book.split += entry.shares_micro
                book.split_usd += int(part)
                book.in_moments += entry.shares_micro * entry.timestamp
            else:
                book.merged += entry.shares_micro
                book.merge_usd += int(part)
                book.out_moments += entry.shares_micro * entry.timestamp

    def convert(self, conversion: Conversion, movements: Movements) -> None:
        """NO leaves at its average price so far, YES takes over what that cost beyond the cash."""
        entry, given = conversion.entry, conversion.given
        if given is None:
            return
        shares, cash = entry.shares_micro, entry.usdc_micro * NANO_PER_MICRO
        taken = sorted(set(self.world.events[entry.event_id].condition_ids) - set(given))
        if taken:
            out = {}
            for condition_id in given:
                price = movements.average_price(condition_id, 1, entry.timestamp)
                if price is None:
                    price = Fraction(len(given) - 1, len(given))
                out[condition_id] = to_micro(shares * price * NANO_PER_MICRO)
        else:
            out = shared_out(cash, sorted(given))
        for condition_id, usd in out.items():
            book = self.book(self.world.markets[condition_id], 1)
            book.converted_out += shares
            book.converted_out_usd += usd
            book.out_moments += shares * entry.timestamp
        if taken:
            for condition_id, usd in shared_out(sum(out.values()) - cash, taken).items():
                book = self.book(self.world.markets[condition_id], 0)
                book.converted_in += shares
                book.converted_in_usd += usd
                book.in_moments += shares * entry.timestamp

    def redeem(
        self,
        market: Market,
        payouts: tuple[Fraction, ...] | None,
        redemptions: list[Entry],
        movements: Movements,
        conversions: list[Conversion],
    ) -> None:
        """A redemption names its cash; the shares follow from the payouts, or are all that there were."""
        last = max(entry.timestamp for entry in redemptions)
        cash = sum(entry.usdc_micro for entry in redemptions) * NANO_PER_MICRO
        outcomes = range(len(market.token_ids))
        before = [max(0, _before(market, outcome, last, movements, conversions)) for outcome in outcomes]
        redeemed, paid, clear = list(before), [0 for _ in outcomes], True
        paying = [outcome for outcome in outcomes if payouts and payouts[outcome]]
        if payouts is None or not paying:
            paid[max(outcomes, key=lambda outcome: (before[outcome], -outcome))] = cash
        elif len(paying) == 1:
            redeemed[paying[0]] = rounded(Fraction(cash, NANO_PER_MICRO) / payouts[paying[0]])
            paid[paying[0]] = cash
        else:
            for outcome in outcomes[:-1]:
                paid[outcome] = to_micro(before[outcome] * payouts[outcome] * NANO_PER_MICRO)
            paid[-1] = cash - sum(paid)
            owed = sum(shares * payout for shares, payout in zip(before, payouts, strict=True))
            clear = abs(cash - owed * NANO_PER_MICRO) <= NANO_PER_MICRO * len(redemptions) * len(outcomes)
        for outcome in outcomes:
            if redeemed[outcome] or paid[outcome] or (market.condition_id, outcome) in self._books:
                book = self.book(market, outcome)
                book.redeemed += redeemed[outcome]
                book.redeem_usd += paid[outcome]
                book.is_redemption_clear = clear


def _before(market: Market, outcome: int, until: int, movements: Movements, conversions: list[Conversion]) -> int:
    """Shares of an outcome before a redemption."""
    total = movements.balance(market.condition_id, outcome, until)
    for conversion in conversions:
        entry = conversion.entry
        if conversion.given is None or entry.timestamp > until or entry.event_id != market.event_id:
            continue
        if market.condition_id in conversion.given:
            total -= entry.shares_micro if outcome == 1 else 0
        else:
            total += entry.shares_micro if outcome == 0 else 0
    return total


def shared_out(total: int, among: Sequence[str]) -> dict[str, int]:
    """`total` in equal parts of whole millionths of a dollar; the first takes the remainder."""
    part = to_micro(Fraction(total, len(among)))
    parts = dict.fromkeys(among, part)
    parts[among[0]] = total - part * (len(among) - 1)
    return parts
