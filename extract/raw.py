"""Raw rows: the venue's own text of each object, its keys, and where and when it was read.

Nothing is converted. A number keeps its source text (`1283.535383`, never a float), because DuckDB's JSON functions
read numbers as doubles; that is why the columns that models compute with stand beside `payload`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import pyarrow as pa

STAMPS = (
    pa.field("payload", pa.string(), nullable=False),
    pa.field("fetched_at", pa.timestamp("us", tz="UTC"), nullable=False),
    pa.field("walk_id", pa.string(), nullable=False),
    pa.field("walk_position", pa.int64(), nullable=False),
)

_ABSENT = msgspec.Raw(b"null")

_STRINGS = msgspec.json.Decoder(list[str | None])
_NEITHER_WORD_NOR_NUMBER = re.compile(rb'["\[{]')

_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a surrogate pair
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"  # a surrogate alone
    rb"|\\."
)

Shape = TypeVar("Shape")


def decode(body: bytes, shape: type[Shape]) -> Shape:
    """Decodes an answer, the parts typed `msgspec.Raw` being left as their own text.

    Half a surrogate pair (`\\ud800`), which anybody can put into a name, is no Unicode text and would make every later
    JSON parser refuse the row; it becomes U+FFFD.

    Raises:
        msgspec.DecodeError: the body is not JSON of this shape.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.DecodeError:
        mended = _ESCAPE.sub(_mended_escape, body)
        if mended == body:
            raise
        return msgspec.json.decode(mended, type=shape)


def _mended_escape(match: re.Match[bytes]) -> bytes:
    escape = match.group()
    return rb"\ufffd" if len(escape) == 6 and escape[2] in b"dD" else escape


def joined(own: Mapping[str, str | int | None], row: msgspec.Raw) -> msgspec.Raw:
    """The row's own text with keys before it that the venue wrote elsewhere: in a list's head, or not at all.

    Raises:
        msgspec.ValidationError: the row is no JSON object.
    """
    text = bytes(row).strip()
    if text[:1] != b"{":
        raise msgspec.ValidationError(f"expected an object, got {text[:20].decode('utf-8', 'replace')}")
    head = msgspec.json.encode(own)
    rest = text[1:].lstrip()
    return msgspec.Raw(head[:-1] + (rest if rest == b"}" or not own else b"," + rest))


@dataclass(frozen=True, slots=True)
class RawTable:
    """A raw table: its name and, per column, the key of the venue's JSON object that it repeats as text."""

    name: str
    keys: Mapping[str, str]
    _decoder: msgspec.json.Decoder[Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        row_type = msgspec.defstruct(
            f"{self.name}_keys",
            [(column, msgspec.Raw, _ABSENT) for column in self.keys],
            rename=dict(self.keys),
        )
        object.__setattr__(self, "_decoder", msgspec.json.Decoder(row_type))

    def keys_of(self, rows: Sequence[msgspec.Raw]) -> dict[str, list[str | None]]:
        """Per column, the key's text in each row; None where it is missing, null, or the row is no object."""
        decoded = [self._decode(row) for row in rows]
        return {column: _texts([getattr(row, column, _ABSENT) for row in decoded]) for column in self.keys}

    def _decode(self, row: msgspec.Raw) -> Any:
        try:
            return self._decoder.decode(row)
        except msgspec.DecodeError:
            return None

    def table(
        self,
        rows: Sequence[msgspec.Raw],
        keys: Mapping[str, list[str | None]],
        *,
        fetched_at: datetime,
        walk_id: str,
        first_position: int,
    ) -> pa.Table:
        """Returns one Arrow row per element of `rows`: the key columns, then the stamps."""
        count = len(rows)
        columns = [pa.array(keys[column], pa.string()) for column in self.keys]
        stamps = [
            _payloads(rows),
            pa.repeat(pa.scalar(fetched_at, STAMPS[1].type), count),
            pa.repeat(pa.scalar(walk_id, pa.string()), count),
            pa.array(range(first_position, first_position + count), pa.int64()),
        ]
        return pa.Table.from_arrays(columns + stamps, schema=self.schema)

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([*(pa.field(column, pa.string()) for column in self.keys), *STAMPS])


#: Wallets that somebody names who is no venue; the scope of the walk says who.
WALLETS = RawTable("wallets", {"wallet_address": "wallet_address"})


def _payloads(rows: Sequence[msgspec.Raw]) -> pa.Array:
    try:
        return pa.array([bytes(row) for row in rows], pa.string())
    except pa.ArrowInvalid:
        # A body that is not UTF-8 is kept as far as it can be read rather than lost.
        return pa.array([bytes(row).decode("utf-8", "replace") for row in rows], pa.string())


def _texts(sources: list[msgspec.Raw]) -> list[str | None]:
    """JSON values as texts, by one call for all where they are all strings, or all numbers, booleans and nulls."""
    joined = b",".join(sources)
    try:
        return _STRINGS.decode(b"[" + joined + b"]")
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    if _NEITHER_WORD_NOR_NUMBER.search(joined):
        return [_text(source) for source in sources]
    return [None if text == "null" else text for text in joined.decode().split(",")]


def _text(raw: msgspec.Raw) -> str | None:
    """A JSON value as text: strings unescaped, everything else exactly as written, null as None."""
    source = bytes(raw)
    if source == b"null":
        return None
    if source[:1] != b'"':
        return source.decode("utf-8", "replace")
    if b"\\" not in source:
        return source[1:-1].decode("utf-8", "replace")
    text: str = msgspec.json.decode(source, type=str)
    return text
