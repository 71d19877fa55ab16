"""What the report does to venue text before it reaches a terminal."""

from __future__ import annotations

import unicodedata

from rich.text import Text

#: Unicode categories that move the cursor, hide or reorder text: control, format, surrogate, private
#: use, unassigned, and the line and paragraph separators. No name that a person reads needs them.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str, longest: int = 60) -> Text:
    """Returns `text` as rich text: never read as markup, no control characters, cut to `longest`."""
    cleaned = "".join(" " if unicodedata.category(letter) in _UNPRINTABLE else letter for letter in text)
    cleaned = " ".join(cleaned.split())
    if len(cleaned) > longest:
        cleaned = cleaned[: longest - 1] + "…"
    return Text(cleaned)
