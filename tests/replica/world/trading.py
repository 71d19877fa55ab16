"""Trading: who meets whom, at what price, and what each of them then holds.

A match is two rows: the maker's and the taker's. A taker's order may meet several makers in one
transaction. The taker buys what the maker sells, or both buy opposite outcomes (a mint), or both
sell opposite outcomes (a burn).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Literal

from tests.replica.model import Side
from tests.replica.world.cast import Cast, Persona
from tests.replica.world.venue import STEPS, Plan

MICRO = 1_000_000
#: Below this many shares the venue's trades feed hides a fill.
DUST_SHARES_MICRO = 10_000

Pattern = Literal["plain", "equal", "equal_makers", "self", "dust", "sweep", "off_tick"]

#: Each world plays these first, in listed markets, so that they are found at every size.
FIRST_PATTERNS: tuple[Pattern, ...] = (
    "equal", "self", "dust", "sweep", "off_tick", "equal_makers", "dust",
)  # fmt: skip
_WEIGHTS: dict[Pattern, int] = {
    "plain": 820,
    "sweep": 100,
    "off_tick": 50,
    "equal": 8,
    "equal_makers": 6,
    "self": 8,
    "dust": 8,
}


@dataclass(slots=True)
class Draft:
    """A fill before it has a sequence id; wallets and the market by index."""

    timestamp: int
    transaction: int
    transaction_hash: str
    log_index: int
    order_hash: str
    wallet: int
    counterparty: int
    plan: int
    outcome: int
    side: Side
    shares: int
    usdc: int
    fee: int
    is_taker: bool


@dataclass(slots=True)
class Book:
    """What is left of a market after its story: holdings, last trades, splits made before trading.

    holdings: wallet index -> [shares of outcome 0, of outcome 1], in millionths. Negative for
    wallets that sold shares which they had received by transfer; `lowest` is the least it ever was.
    """

    plan: Plan
    holdings: dict[int, list[int]] = field(default_factory=dict)
    lowest: dict[int, list[int]] = field(default_factory=dict)
    last_trade_at: dict[int, int] = field(default_factory=dict)
    splits: list[tuple[int, int, int]] = field(default_factory=list)

    def of(self, wallet: int) -> list[int]:
        held = self.holdings.get(wallet)
        if held is None:
            held = self.holdings[wallet] = [0, 0]
        return held

    def move(self, wallet: int, outcome: int, change: int) -> None:
        held = self.of(wallet)
        held[outcome] += change
        if held[outcome] < 0:
            lowest = self.lowest.setdefault(wallet, [0, 0])
            lowest[outcome] = min(lowest[outcome], held[outcome])


def taker_fee_micro(rate: Fraction, shares: int, usdc: int) -> int:
    """shares x rate x p x (1 - p) dollars, p = usdc / shares exactly, to five decimals, half up."""
    if not rate:
        return 0
    # In hundred-thousandths of a dollar: rate * usdc * (shares - usdc) / shares / 10.
    numerator = rate.numerator * usdc * (shares - usdc)
    denominator = rate.denominator * shares * 10
    return (2 * numerator + denominator) // (2 * denominator) * 10


class Floor:
    """Trades every market to its budget of matches."""

    def __init__(self, rng: Random, cast: Cast, ends_at: int) -> None:
        self.rng = rng
        self.cast = cast
        self.ends_at = ends_at
        self.drafts: list[Draft] = []
        self._transactions = 0
        self._pending: list[Pattern] = list(FIRST_PATTERNS)
        # State of the market being traded.
        self._book = Book(Plan.__new__(Plan))
        self._plan_index = 0
        self._takers: list[int] = []
        self._takers_cum: list[float] = []
        self._resting: dict[tuple[int, int, Side], str] = {}

    # ---- one market ----

    def trade(self, plan_index: int, plan: Plan, matches: int) -> Book:
        self._book = Book(plan)
        self._plan_index = plan_index
        self._resting = {}
        self._seat(plan, matches)
        self._open_with_splits(plan)
        program = self._program(plan, matches)
        for moment, (pattern, size) in zip(self._moments(plan, len(program)), program, strict=True):
            self._transact(plan, moment, pattern, size)
        return self._book

    def _seat(self, plan: Plan, matches: int) -> None:
        """Who takes part. Old markets belong to a few veterans."""
        if plan.market.legacy_category is not None:
            seats = list(self.cast.veterans)
        else:
            wanted = 3 + int(1.6 * matches**0.5)
            seats = self.cast.takers(self.rng, plan.category, wanted)
            seats += [index for index in plan.regulars if index not in seats]
        weights = [max(0.2, self.cast.personas[index].activity) for index in seats]
        total, cum = 0.0, []
        for weight in weights:
            total += weight
            cum.append(total)
        self._takers, self._takers_cum = seats, cum

    def _open_with_splits(self, plan: Plan) -> None:
        """Arbitrageurs may begin with a split: one dollar becomes one share of every outcome."""
        if not plan.market.listed:
            return
        for index in self._takers:
            if self.cast.personas[index].style == "arbitrageur" and self.rng.random() < 0.5:
                shares = self.rng.randint(20, 300) * MICRO
                held = self._book.of(index)
                held[0] += shares
                held[1] += shares
                self._book.splits.append((plan.market.opens_at + 1, index, shares))
                self._book.last_trade_at[index] = plan.market.opens_at + 1

    def _program(self, plan: Plan, matches: int) -> list[tuple[Pattern, int]]:
        """(pattern, matches in it) of each transaction; the matches add up to the budget."""
        program: list[tuple[Pattern, int]] = []
        left = matches
        patterns, weights = list(_WEIGHTS), list(_WEIGHTS.values())
        while left > 0:
            pending = bool(self._pending) and plan.market.listed and left >= 3
            pattern = self._pending.pop(0) if pending else self.rng.choices(patterns, weights)[0]
            if pattern.startswith("equal"):
                size = 2
            elif pattern == "sweep":
                size = self.rng.choice((2, 2, 3, 3, 4, 6))
            else:
                size = 1
            if size > left:
                pattern, size = "plain", 1
            program.append((pattern, size))
            left -= size
        return program

    def _moments(self, plan: Plan, count: int) -> list[int]:
        """Seconds between opening and closing, a little denser later, some shared by neighbours."""
        first = plan.market.opens_at + 2
        length = min(plan.market.closes_at, self.ends_at) - first - 1
        random = self.rng.random
        moments = sorted(first + int(length * random() ** 0.8) for _ in range(count))
        for position in range(1, count):
            if random() < 0.06:
                moments[position] = moments[position - 1]
        return moments

    # ---- one transaction ----

    def _transact(self, plan: Plan, moment: int, pattern: Pattern, size: int) -> None:
        rng = self.rng
        opens, closes = plan.market.opens_at, plan.market.closes_at
        belief = plan.path[min(STEPS, (moment - opens) * STEPS // (closes - opens))]
        taker = rng.choices(self._takers, cum_weights=self._takers_cum)[0]
        persona = self.cast.personas[taker]
        outcome, side, shares = self._intention(plan, persona, belief)
        if pattern in ("equal", "equal_makers"):
            # Bought against a mint: nobody needs to hold anything, so both halves always match.
            side, shares = "BUY", self._size(persona)
        if pattern == "dust":
            shares = rng.randrange(1_000, DUST_SHARES_MICRO)
        best = self._price(persona, belief if outcome == 0 else 1 - belief, side)
        self._transactions += 1
        transaction_hash = f"0x{rng.getrandbits(256):064x}"
        log_index = rng.randrange(2, 900)
        order_hash = f"0x{rng.getrandbits(256):064x}"
        part = shares if size == 1 or pattern.startswith("equal") else max(1_000, shares // size)
        makers = self._makers(taker, pattern, size)
        usdc = 0
        for position, maker in enumerate(makers):
            level = position if pattern == "sweep" else 0
            price = self._worse(best, side, level) if level else best
            if not usdc or not pattern.startswith("equal"):
                usdc = self._cash(part, price, side, off_tick=pattern == "off_tick")
            own_hash = ""
            if pattern == "equal" and position == 1 and rng.random() < 0.5:
                # The maker's two equal fills may be of one order or of two.
                own_hash = f"0x{rng.getrandbits(256):064x}"
            self._match(
                plan, moment, transaction_hash, log_index + 3 * position, order_hash, own_hash,
                taker, maker, outcome, side, part, usdc, minted=pattern.startswith("equal"),
            )  # fmt: skip

    def _intention(self, plan: Plan, persona: Persona, belief: float) -> tuple[int, Side, int]:
        """What a taker of this nature does now: (outcome, side, shares in millionths)."""
        rng = self.rng
        held = self._book.holdings.get(persona.index)
        leaves = {"scalper": 0.55, "arbitrageur": 0.45, "receiver": 0.3}.get(persona.style, 0.15)
        if held is not None and rng.random() < leaves:
            outcome = 0 if held[0] >= held[1] else 1
            if held[outcome] >= MICRO:
                whole = persona.style == "scalper" or rng.random() < 0.4
                shares = held[outcome] if whole else max(MICRO, held[outcome] // rng.randint(2, 5))
                return outcome, "SELL", shares
        if persona.style == "receiver" and rng.random() < 0.35:
            # Sells shares that came by transfer: trades alone cannot explain this wallet.
            return int(rng.random() < 0.5), "SELL", self._size(persona)
        return self._choice(plan, persona, belief)

    def _choice(self, plan: Plan, persona: Persona, belief: float) -> tuple[int, Side, int]:
        rng = self.rng
        payouts, likely = plan.market.payouts, int(belief < 0.5)
        outcome = int(rng.random() < 0.5)
        if persona.style == "favourite":
            outcome = likely
        elif persona.style == "arbitrageur" and plan.market.negative_risk:
            outcome = 1
        elif payouts is not None and persona.edge:
            better = 0 if payouts[0] > belief else 1
            outcome = better if rng.random() < 0.5 + persona.edge else 1 - better
        if persona.style == "one_hit" and payouts is not None and not persona.has_hit:
            better = 0 if payouts[0] > belief else 1
            if payouts[better] == 1 and better != likely:
                persona.has_hit = True
                return better, "BUY", 40 * self._size(persona)
        return outcome, "BUY", self._size(persona)

    def _size(self, persona: Persona) -> int:
        """Shares in millionths: whole ones, cents of a share, or any millionth."""
        shares = min(20_000.0, max(1.0, persona.typical_shares * self.rng.lognormvariate(0, 0.8)))
        kind = self.rng.random()
        if kind < 0.45:
            return int(shares) * MICRO
        if kind < 0.75:
            return int(shares * 100) * 10_000
        return int(shares * MICRO)

    # ---- prices ----

    def _price(self, persona: Persona, belief: float, side: Side) -> int:
        """In thousandths of a dollar, on the tick: a cent, a tenth of one near 0 and 1."""
        tick = 1 if belief < 0.04 or belief > 0.96 else 10
        haste = 5 if tick == 10 else 1
        if persona.style == "loser":
            haste *= 5
        elif persona.style == "scalper":
            haste = 1
        if side == "BUY":
            price = -int(-(belief * 1000 + haste) // tick) * tick
        else:
            price = int((belief * 1000 - haste) // tick) * tick
        return min(1000 - tick, max(tick, price))

    def _worse(self, price: int, side: Side, level: int) -> int:
        tick = 1 if price < 40 or price > 960 else 10
        moved = price + level * tick if side == "BUY" else price - level * tick
        return min(1000 - tick, max(tick, moved))

    def _cash(self, shares: int, price: int, side: Side, off_tick: bool) -> int:
        """Dollars in millionths. Rounding to a millionth is what takes prices off the tick."""
        usdc = -(-shares * price // 1000) if side == "BUY" else shares * price // 1000
        if off_tick:
            improvement = usdc * self.rng.randint(1, 400) // 10_000
            usdc = usdc - improvement if side == "BUY" else usdc + improvement
        return min(shares - 1, max(1, usdc))

    # ---- one match ----

    def _makers(self, taker: int, pattern: Pattern, size: int) -> list[int]:
        if pattern == "self":
            return [taker] * size
        makers = [self._maker(taker) for _ in range(size)]
        if pattern == "equal":
            makers = makers[:1] * size
        elif pattern == "equal_makers" and makers[0] == makers[1]:
            others = (i for i in range(len(self.cast.personas)) if i not in (taker, makers[0]))
            makers[1] = next(others, makers[0])
        return makers

    def _maker(self, taker: int) -> int:
        rng, cast = self.rng, self.cast
        if rng.random() < 0.75:
            maker = rng.choices(cast.makers, cum_weights=cast.makers_cum)[0]
        else:
            maker = rng.choice(self._takers)
        if maker != taker:
            return maker
        # Whoever sits next: in a world of one wallet, itself.
        return (taker + 1) % len(cast.personas)

    def _match(
        self,
        plan: Plan,
        moment: int,
        transaction_hash: str,
        log_index: int,
        taker_hash: str,
        maker_hash: str,
        taker: int,
        maker: int,
        outcome: int,
        side: Side,
        shares: int,
        usdc: int,
        minted: bool,
    ) -> None:
        book = self._book
        maker_outcome, maker_side, maker_usdc = self._counter(maker, outcome, side, shares, usdc, minted)
        maker_hash = maker_hash or self._resting_order(maker, maker_outcome, maker_side)
        fee = taker_fee_micro(plan.market.fee_rate, shares, usdc)
        common = (moment, self._transactions, transaction_hash)
        self.drafts.append(
            Draft(*common, log_index, maker_hash, maker, taker, self._plan_index, maker_outcome,
                  maker_side, shares, maker_usdc, 0, False)
        )  # fmt: skip
        self.drafts.append(
            Draft(*common, log_index + 1, taker_hash, taker, maker, self._plan_index, outcome,
                  side, shares, usdc, fee, True)
        )  # fmt: skip
        book.move(maker, maker_outcome, shares if maker_side == "BUY" else -shares)
        book.move(taker, outcome, shares if side == "BUY" else -shares)
        book.last_trade_at[maker] = moment
        book.last_trade_at[taker] = moment

    def _counter(
        self, maker: int, outcome: int, side: Side, shares: int, usdc: int, minted: bool
    ) -> tuple[int, Side, int]:
        """The maker's (outcome, side, usdc): it sells only what it holds, and can always buy."""
        held = self._book.holdings.get(maker, (0, 0))
        other = 1 - outcome
        if side == "BUY":
            if not minted and held[outcome] >= shares and self.rng.random() < 0.8:
                return outcome, "SELL", usdc
            return other, "BUY", shares - usdc
        if held[other] >= shares and self.rng.random() < 0.5:
            return other, "SELL", shares - usdc
        return outcome, "BUY", usdc

    def _resting_order(self, maker: int, outcome: int, side: Side) -> str:
        """Partial fills of one resting order share its hash."""
        key = (maker, outcome, side)
        known = self._resting.get(key)
        if known is None or self.rng.random() < 0.6:
            known = self._resting[key] = f"0x{self.rng.getrandbits(256):064x}"
        return known
