"""Random ledgers: what a wallet may do in a negative-risk event and in two markets beside it, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

from hypothesis import strategies as st

from tests.replica.model import EntryType, Side
from tests.replica_tests.story import ANN, CLOSE, RESOLVED, Story

Kind = Literal["BUY", "SELL", "SELF", "SPLIT", "MERGE", "CONVERSION", "REDEEM", "CASH"]
#: Purchases stand thrice, so that there is something to sell, merge, convert and redeem.
KINDS: tuple[Kind, ...] = ("BUY", "BUY", "BUY", "SELL", "SELF", "SPLIT", "MERGE", "CONVERSION", "CONVERSION", "CASH")
CASH: tuple[EntryType, ...] = (
    "REWARD", "MAKER_REBATE", "TAKER_REBATE", "REFERRAL_REWARD", "YIELD", "MIGRATION", "DEPOSIT", "WITHDRAWAL", "TIP",
)  # fmt: skip
TAGS = (("crypto", "Crypto"), ("nba", "Sports"), ("politics", "Politics"))


@dataclass(frozen=True)
class Deed:
    """One thing done. `market` counts the event's markets, then the two others; `given` are legs of a conversion."""

    kind: Kind
    market: int
    outcome: int = 0
    shares: int = 1
    cents: int = 50
    fee_cents: int = 0
    given: tuple[int, ...] = ()
    is_named: bool = True
    cash: EntryType = "REWARD"


@dataclass(frozen=True)
class Ledger:
    """A wallet's deeds. The event has `size` markets, of which `winner` wins, or none; of the other two markets the
    first pays Yes `tenths` tenths, and the second is voided, or never resolves."""

    size: int
    winner: int | None
    tenths: int
    is_voided: bool
    tags: tuple[int, int, int]
    deeds: tuple[Deed, ...]

    def tell(self, story: Story, wallet: str = ANN, event: str = "family") -> list[str]:
        """Writes it into a story, in markets of its own. -> their condition ids"""
        tags = [{"tag": tag, "category": category} for tag, category in (TAGS[place] for place in self.tags)]
        markets = [
            story.market(int(n == self.winner), int(n != self.winner), event=event, **tags[0]) for n in range(self.size)
        ]
        share = Fraction(self.tenths, 10)
        markets.append(story.market(share, 1 - share, **tags[1]))
        markets.append(story.market(**tags[2]))
        if self.is_voided:
            voided = replace(story.markets[markets[-1]], closes_at=CLOSE, resolved_at=RESOLVED, ending="void")
            story.markets[voided.condition_id] = voided
        for deed in self.deeds:
            _do(story, wallet, markets, deed)
        return markets


def _do(story: Story, wallet: str, markets: Sequence[str], deed: Deed) -> None:
    market = markets[deed.market % len(markets)]
    usd, fee = deed.shares * deed.cents / 100, deed.fee_cents / 100
    sides: dict[Kind, tuple[Side, ...]] = {"BUY": ("BUY",), "SELL": ("SELL",), "SELF": ("BUY", "SELL")}
    if deed.kind in sides:
        same: dict[str, Any] = {}
        for side in sides[deed.kind]:
            fill = story.fill(wallet, side, market, deed.shares, usd, outcome=deed.outcome, fee=fee, **same)
            # A wallet that trades with itself does so in one transaction.
            same = {"transaction_hash": fill.transaction_hash, "timestamp": fill.timestamp}
    elif deed.kind == "CONVERSION":
        family = markets[:-2]
        given = dict.fromkeys(family[place % len(family)] for place in deed.given)
        story.convert(wallet, list(given), deed.shares, named=deed.is_named)
    elif deed.kind == "CASH":
        story.income(wallet, deed.cash, deed.shares)
    elif deed.kind == "REDEEM":
        story.entry(wallet, "REDEEM", markets[deed.market % (len(markets) - 1)], deed.shares)
    else:
        story.entry(wallet, "SPLIT" if deed.kind == "SPLIT" else "MERGE", market, deed.shares)


#: Few sizes, so that holdings often are just what is merged or converted.
SHARES = st.sampled_from([5, 10, 10, 10, 20]) | st.integers(1, 40)


def deeds(kinds: Sequence[Kind] = KINDS) -> st.SearchStrategy[Deed]:
    return st.builds(
        Deed,
        kind=st.sampled_from(kinds),
        market=st.integers(0, 5),
        outcome=st.integers(0, 1),
        shares=SHARES,
        cents=st.integers(1, 99),
        fee_cents=st.sampled_from([0, 0, 1, 3]),
        given=st.lists(st.integers(0, 3), min_size=1, max_size=4).map(tuple),
        is_named=st.sampled_from([True] * 7 + [False]),
        cash=st.sampled_from(CASH),
    )


def ledgers(redemptions: int = 0) -> st.SearchStrategy[Ledger]:
    """Ledgers with up to that many redemptions, which come last."""
    done = st.lists(deeds(), min_size=1, max_size=14)
    redeemed = st.lists(deeds(["REDEEM"]), max_size=redemptions)
    return st.builds(
        Ledger,
        size=st.integers(2, 4),
        winner=st.none() | st.integers(0, 1),
        tenths=st.integers(0, 10),
        is_voided=st.booleans(),
        tags=st.tuples(*[st.integers(0, 2)] * 3),
        deeds=st.tuples(done, redeemed).map(lambda both: (*both[0], *both[1])),
    )
