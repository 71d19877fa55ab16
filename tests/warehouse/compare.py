"""Tables compared with the truth: as bags of rows, decimals exactly, ratios to a relative 1e-9."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
RELATIVE = 1e-9
#: Below it a difference of two nearly equal numbers has no digits that mean anything.
ABSOLUTE = 1e-12
SHOWN = 5


def assert_same_rows(actual: Iterable[Row], expected: Iterable[Row], columns: Sequence[str]) -> None:
    """Both hold the same rows as often, seen through `columns`; order does not count."""
    found = Counter(_key(row, columns) for row in actual)
    wanted = Counter(_key(row, columns) for row in expected)
    missing, extra = list((wanted - found).elements()), list((found - wanted).elements())
    assert not missing and not extra, _difference(columns, missing, extra)


def assert_close(actual: Iterable[Row], expected: Iterable[Row], key: Sequence[str], columns: Sequence[str]) -> None:
    """Rows with the same key agree in float `columns`, to a relative 1e-9 or an absolute 1e-12; null with null only."""
    wanted = {_key(row, key): row for row in expected}
    found = {_key(row, key): row for row in actual}
    assert found.keys() == wanted.keys()
    wrong = [
        f"{identity} {column}: {row[column]} instead of {wanted[identity][column]}"
        for identity, row in found.items()
        for column in columns
        if not _is_close(row[column], wanted[identity][column])
    ]
    assert not wrong, f"{len(wrong)} values differ:\n" + "\n".join(wrong[:SHOWN])


def _is_close(actual: Any, expected: Any) -> bool:
    if actual is None or expected is None:
        return actual is expected
    return math.isclose(actual, expected, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _key(row: Row, columns: Sequence[str]) -> tuple[Any, ...]:
    return tuple(_plain(row[column]) for column in columns)


def _plain(value: Any) -> Any:
    """Equal values in one form: decimals without trailing zeros, moments in UTC.

    The world counts whole seconds; the fraction that Gamma shows is the venue's decoration.
    """
    if isinstance(value, Decimal):
        return value.normalize() if value else Decimal(0)
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return moment.replace(microsecond=0)
    return value


def _difference(columns: Sequence[str], missing: list[Any], extra: list[Any]) -> str:
    def listed(rows: list[Any]) -> str:
        return "\n".join(f"  {row}" for row in sorted(rows, key=repr)[:SHOWN])

    head = f"columns {list(columns)}"
    return f"{head}\n{len(missing)} missing:\n{listed(missing)}\n{len(extra)} too many:\n{listed(extra)}"
