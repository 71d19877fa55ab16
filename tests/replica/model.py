"""The vocabulary of a world: what exists, what happened, and when the venue shows it.

Money is integer: shares and US dollars in millionths ("micro"), as on chain. Times are UNIX seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Side = Literal["BUY", "SELL"]

#: How a market ends. `never` closes without ever resolving; `void` resolves with no payout at all;
#: `open` is still trading when the world's story ends.
Ending = Literal["binary", "fifty_fifty", "fractional", "void", "never", "open"]

EntryType = Literal[
    "SPLIT",
    "MERGE",
    "REDEEM",
    "CONVERSION",
    "REWARD",
    "MAKER_REBATE",
    "TAKER_REBATE",
    "REFERRAL_REWARD",
    "MIGRATION",
    "YIELD",
    "DEPOSIT",
    "WITHDRAWAL",
    "TIP",
]


@dataclass(frozen=True, slots=True)
class Tag:
    id: str
    label: str
    slug: str


@dataclass(frozen=True, slots=True)
class Event:
    """A question or family of questions. `category` is the true category that its tags stand for."""

    id: str
    slug: str
    title: str
    tags: tuple[Tag, ...]
    category: str
    negative_risk: bool
    created_at: int
    starts_at: int
    ends_at: int
    condition_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Market:
    """One condition. `payouts` is None unless the market really pays; `resolved_at` None if it never resolves.

    Life: created_at -> opens_at -> closes_at (trading ends, `closed` turns true) -> proposed (closed,
    umaResolutionStatus 'proposed', prices near but not at the payout) -> resolved_at.
    """

    id: str
    condition_id: str
    slug: str
    question: str
    event_id: str
    outcomes: tuple[str, ...]
    token_ids: tuple[str, ...]
    created_at: int
    opens_at: int
    closes_at: int
    resolved_at: int | None
    ending: Ending
    payouts: tuple[Fraction, ...] | None
    fee_rate: Fraction
    negative_risk: bool
    legacy_category: str | None
    listed: bool = True
    """False: the venue never returns this market, although wallets traded it."""


@dataclass(frozen=True, slots=True)
class Wallet:
    address: str
    name: str
    style: str
    on_leaderboard: bool


@dataclass(frozen=True, slots=True)
class Fill:
    """One wallet's side of one match. Both sides of a match are two fills of two wallets (or of one: a self-fill).

    price = usdc_micro / shares_micro. `fee_micro` is paid on top by takers (0 for makers).
    `sequence_id` orders the venue's feeds together with `timestamp`.
    `visible_at` is when the venue first serves it (late rows have visible_at > timestamp);
    `enriched_at` is when outcome_index, event_slug and icon are filled in.
    """

    sequence_id: int
    transaction_hash: str
    log_index: int
    order_hash: str
    wallet: str
    counterparty: str
    token_id: str
    condition_id: str
    outcome_index: int
    side: Side
    shares_micro: int
    usdc_micro: int
    fee_micro: int
    is_taker: bool
    timestamp: int
    visible_at: int
    enriched_at: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger entry that is not a trade. `usdc_micro` is its cash, `shares_micro` its size.

    SPLIT burns cash for `shares_micro` of every outcome; MERGE is the reverse; REDEEM pays `usdc_micro`;
    CONVERSION turns `shares_micro` NO shares of each of the k `converted` conditions of a negative-risk event into as
    many YES of each of the others plus (k - 1) x `shares_micro` of cash. Entries without a market have an empty
    condition_id. `side` is IN or OUT for a TIP, and empty for all others.
    """

    sequence_id: int
    transaction_hash: str
    log_index: int
    wallet: str
    type: EntryType
    condition_id: str
    event_id: str
    converted: tuple[str, ...]
    shares_micro: int
    usdc_micro: int
    timestamp: int
    visible_at: int
    side: str = ""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Shares that a wallet was given (`shares_micro` > 0) or gave away (< 0). No ledger of the venue shows it."""

    wallet: str
    token_id: str
    condition_id: str
    outcome_index: int
    shares_micro: int
    timestamp: int
