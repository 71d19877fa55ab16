"""Raw rows keep the venue's text to the letter, and no number passes through a float."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extract.raw import RawTable, decode

TABLE = RawTable("things", {"size": "size", "wallet": "proxyWallet"})
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def rows_of(text: str) -> list[msgspec.Raw]:
    return decode(text.encode(), list[msgspec.Raw])


def loaded(text: str) -> pa.Table:
    rows = rows_of(text)
    return TABLE.table(rows, TABLE.keys_of(rows), fetched_at=NOW, walk_id="w", first_position=5)


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_a_number_keeps_its_text(number: Decimal) -> None:
    table = loaded(f'[{{"size": {number:f}}}]')
    assert table["size"].to_pylist() == [f"{number:f}"]


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none() | st.lists(st.text()))))
def test_the_payload_is_what_was_sent(objects: list[dict[str, object]]) -> None:
    texts = [json.dumps(thing, ensure_ascii=index % 2 == 0) for index, thing in enumerate(objects)]
    try:
        body = f"[{' , '.join(texts)}]"
        body.encode()
    except UnicodeEncodeError:
        body = f"[{','.join(json.dumps(thing) for thing in objects)}]"
        texts = [json.dumps(thing) for thing in objects]
    assert loaded(body)["payload"].to_pylist() == texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("78280687295366923684863163111471047651668247655100947012947759809116119055989",) * 2,
        ('"7828"', "7828"),
        ("1e-05", "1e-05"),
        ("1283.5353830000000000001", "1283.5353830000000000001"),
        ("null", None),
        ("true", "true"),
        ('{"id": 1}', '{"id": 1}'),
        (r'"a\"b\u2019 <b> \u0000 end"', 'a"b\u2019 <b> \0 end'),
        (
            r'"half a pair \ud800, a pair \ud83d\ude00, none \\ud800"',
            "half a pair \ufffd, a pair \U0001f600, none \\ud800",
        ),
    ],
)
def test_a_key_is_text_whatever_the_venue_sends(value: str, text: str | None) -> None:
    assert loaded(f'[{{"size": {value}}}]')["size"].to_pylist() == [text]


VALUES = (
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.integers()
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.lists(st.integers())
    | st.dictionaries(st.sampled_from("ab"), st.none())
)


@given(
    st.sampled_from([VALUES, st.text('a,"\\[{\n'), st.integers() | st.booleans() | st.none()]).flatmap(st.lists),
    st.sampled_from([",", " , ", ",\n"]),
    st.booleans(),
)
def test_a_column_is_the_text_of_each_value_whatever_stands_beside_it(
    values: list[object], comma: str, is_ascii: bool
) -> None:
    rows = comma.join(json.dumps({"size": value}, ensure_ascii=is_ascii, separators=(comma, " : ")) for value in values)
    assert loaded(f"[ {rows} ]")["size"].to_pylist() == [
        value if isinstance(value, str | None) else json.dumps(value, ensure_ascii=is_ascii, separators=(comma, " : "))
        for value in values
    ]


def test_new_missing_and_renamed_fields_break_nothing() -> None:
    table = loaded('[{"brand_new": [1, {"x": 2}]}, {"proxyWallet": "0xA"}, 17, null, "text"]')
    assert table["wallet"].to_pylist() == [None, "0xA", None, None, None]
    assert table["payload"].to_pylist() == [
        '{"brand_new": [1, {"x": 2}]}',
        '{"proxyWallet": "0xA"}',
        "17",
        "null",
        '"text"',
    ]


def test_positions_count_on_from_the_page_before() -> None:
    assert loaded('[{"size": 1}, {"size": 1}]')["walk_position"].to_pylist() == [5, 6]


def test_a_body_that_is_not_utf8_is_kept_as_far_as_it_can_be_read() -> None:
    rows = [msgspec.Raw(b'{"proxyWallet": "0xA\xff"}')]
    table = TABLE.table(rows, TABLE.keys_of(rows), fetched_at=NOW, walk_id="w", first_position=0)
    assert table["payload"].to_pylist() == ['{"proxyWallet": "0xA\ufffd"}']
