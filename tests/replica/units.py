"""Units, constants and settings of the truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

Row = dict[str, Any]

VENUE = "polymarket"
UNCATEGORIZED = "Uncategorized"
DAY = 86400
#: Days that each period looks back from `as_of`, by the moment of resolution.
PERIODS: dict[str, int | None] = {"all": None, "365d": 365, "90d": 90, "30d": 30}
NANO_PER_MICRO = 1000
#: Of a two-sided 95 % interval.
Z = 1.96


@dataclass(frozen=True, slots=True)
class Parameters:
    """The project's variables, and which wallets' histories were not read to their beginning."""

    omega_min_markets: int = 10
    omega_shrinkage_k: int = 10
    omega_max_unscored_stake_share: Fraction = Fraction(1, 4)
    incomplete_wallets: frozenset[str] = frozenset()


def micro(value: int) -> Decimal:
    return Decimal(value).scaleb(-6)


def nano(value: int) -> Decimal:
    return Decimal(value).scaleb(-9)


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
