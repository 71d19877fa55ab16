"""What the venues' rows have in common, whichever source they come from.

A feed is a list of rows in ascending (timestamp, sequence_id) order; `seek` cuts pages out of it
the way a keyset query does: rows that appear during a walk neither shift nor repeat the others, and
those that appear on the far side of the anchor are not seen by that walk.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

encode = msgspec.json.encode


class Row(Protocol):
    """A feed row: a model `Fill` or `Entry`, or a recorded row."""

    @property
    def timestamp(self) -> int: ...
    @property
    def sequence_id(self) -> int: ...
    @property
    def condition_id(self) -> str: ...
    @property
    def shares_micro(self) -> int: ...
    @property
    def usdc_micro(self) -> int: ...
    @property
    def visible_at(self) -> int: ...


def position(row: Row) -> tuple[int, int]:
    """The sort key of every feed."""
    return (row.timestamp, row.sequence_id)


def seek(
    rows: Sequence[Any],
    keep: Callable[[Any], bool],
    *,
    first: int,
    last: int,
    anchor: tuple[Any, ...] | None,
    descending: bool,
    limit: int,
    key: Callable[[Any], tuple[Any, ...]] = position,
) -> tuple[list[Any], bool]:
    """One page of `rows` with first <= timestamp <= last beyond the anchor; whether more follow.

    `key(row)[0]` must be the timestamp.
    """
    low = bisect_left(rows, first, key=lambda row: key(row)[0])
    high = bisect_right(rows, last, key=lambda row: key(row)[0])
    if anchor is not None:
        if descending:
            high = min(high, bisect_left(rows, anchor, key=key))
        else:
            low = max(low, bisect_right(rows, anchor, key=key))
    order = range(high - 1, low - 1, -1) if descending else range(low, high)
    page: list[Any] = []
    for index in order:
        row = rows[index]
        if keep(row):
            if len(page) == limit:
                return page, True
            page.append(row)
    return page, False


def number(value: float) -> str:
    """A double as the venue's Rust server writes it, shortest form that round-trips: 5.0, 1e-5."""
    text = repr(value)
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text


def quoted(text: str) -> str:
    """A JSON string literal."""
    return encode(text).decode()


def micro_text(micro: int) -> str:
    """Millionths as a decimal text without trailing zeros: 1250000 -> "1.25", 3000000 -> "3"."""
    sign = "-" if micro < 0 else ""
    whole, fraction = divmod(abs(micro), 1_000_000)
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:06d}".rstrip("0")
