"""Macros whose words differ by engine mean the same on both: DuckDB's answers beside Google's own.

The values are hypothesis's; known pairs of input and output stand in tests/singular/macros/.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bigquery.analyzer.googlesql import GoogleSQL
from tests.conftest import ROOT

#: Values per query: a query of the reference implementation costs as much as a hundred values.
AT_ONCE = 40


class Macros:
    """The project's macros for one engine, outside of dbt: calling one gives its SQL."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "macros").glob("cross_db/*.sql"))]
        environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
        template = environment.from_string(
            "".join(texts),
            globals={
                "adapter": SimpleNamespace(dispatch=lambda name, package: self._form(name)),
                # What dbt's `return` hands back is always a text here.
                "return": lambda value: value,
            },
        )
        self.module = template.module

    def _form(self, name: str) -> Any:
        return getattr(self.module, f"{self.engine}__{name}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)


DUCKDB, BIGQUERY = Macros("duckdb"), Macros("bigquery")


@pytest.fixture(scope="module")
def connection() -> Any:
    with duckdb.connect(":memory:") as connected:
        connected.execute("set timezone = 'UTC'")
        yield connected


def literal(text: str) -> str:
    """A text as both engines read it, whatever is in it: from its bytes."""
    return text.encode().hex()


def plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value.normalize() if value else Decimal(0)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value


def answers(engine: GoogleSQL, connection: Any, macro: str, texts: list[str], *more: Any) -> list[tuple[Any, Any]]:
    """What the macro makes of each text, on DuckDB and on BigQuery."""
    names = [literal(text) for text in texts]
    ours = connection.execute(
        f"select {getattr(DUCKDB, macro)('given.text', *more)} "
        f"from (select decode(unhex(hexed)) as text, place from (select unnest({names!r}) as hexed, "
        f"unnest({list(range(len(names)))!r}) as place)) as given order by given.place"
    ).fetchall()
    _, theirs = engine.evaluate(
        f"select {getattr(BIGQUERY, macro)('given.text', *more)} as answer "
        f"from (select safe_convert_bytes_to_string(from_hex(hexed)) as text, place from unnest({names!r}) as hexed "
        "with offset as place) as given order by given.place"
    )
    return [(plain(one[0]), plain(other[0])) for one, other in zip(ours, theirs, strict=True)]


# As programs print them: an exponent stands behind one digit and its fraction. DuckDB takes others for no numbers.
numbers = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=20).map(lambda number: format(number, "f")),
    st.integers(-(10**25), 10**25).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(0, 1).map(repr),
    st.floats(1e-9, 1e-4).map(repr),
    st.from_regex(r"[+-]?[0-9]{0,22}(\.[0-9]{0,22})?", fullmatch=True),
)
junk = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Z"]), max_size=12).filter(
    # Names of numbers that are none, and digits around an e: no venue's.
    lambda text: not re.search(r"nan|inf|\de", text.lower())
)
moments = st.one_of(
    st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)).flatmap(
        lambda moment: st.sampled_from(
            [
                moment.isoformat() + "Z",
                moment.isoformat(" "),
                moment.isoformat(" ", "milliseconds") + "+00",
                moment.isoformat("T", "seconds") + "+05:30",
                moment.isoformat("T", "milliseconds") + "-08:00",
                f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}789Z",
                f"{moment:%Y-%m-%d}",
                f"{moment:%Y-%m-%d %H:%M}",
            ]
        )
    ),
    st.sampled_from(["2026-02-30", "2026-13-01T00:00:00Z", "2026-01-01T25:00:00Z", "0", "", "never", "2026"]),
)


@pytest.mark.parametrize(
    ("macro", "values"),
    [
        ("read_integer", numbers | junk),
        ("read_amount", numbers | junk),
        ("read_price", numbers | junk),
        ("read_millionths", numbers | junk),
        ("epoch_timestamp", st.integers(-(10**13), 10**13).map(str) | junk),
        ("parse_timestamp", moments),
        ("slugify", st.text(max_size=20)),
        ("md5_hex", st.text(max_size=20)),
    ],
)
def test_both_engines_answer_alike(
    engine: GoogleSQL, connection: Any, macro: str, values: st.SearchStrategy[str]
) -> None:
    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(values, min_size=1, max_size=AT_ONCE))
    def alike(texts: list[str]) -> None:
        for text, (ours, theirs) in zip(texts, answers(engine, connection, macro, texts), strict=True):
            assert ours == theirs, f"{macro}({text!r}): DuckDB {ours!r}, BigQuery {theirs!r}"

    alike()


scalars = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=6)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    texts=st.lists(
        # Signs as they are: the reference implementation does not put the two halves of an escaped one together.
        st.lists(scalars, max_size=4).map(lambda items: json.dumps(items, ensure_ascii=False))
        | st.sampled_from(["", "null", "{}", "[", '{"a": [1]}', "text"]),
        min_size=1,
        max_size=AT_ONCE,
    )
)
def test_both_engines_read_the_same_lists(engine: GoogleSQL, connection: Any, texts: list[str]) -> None:
    for text, (ours, theirs) in zip(texts, answers(engine, connection, "json_texts", texts), strict=True):
        # BigQuery has no null array where a table holds one, so that none and empty are one.
        assert (ours or []) == (theirs or []), f"json_texts({text!r}): DuckDB {ours!r}, BigQuery {theirs!r}"
