"""Faults that can be switched on per path: what goes wrong, for which requests, and how often."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

#: kind -> what the client gets.
KINDS = {
    "rate_limited": "429; `retry_after` seconds, or as an HTTP date with `http_date`, or no header"
    " (retry_after null); `body`: json, html or text",
    "error": "`status` (500, 502, 503 ...) with a `body`; Retry-After if `retry_after` is set",
    "hang": "nothing for `seconds` seconds, then the real answer",
    "cut": "the real headers and half of the body, then the connection closes",
    "html": "200 with an HTML page",
    "bad_json": "200 with JSON that stops in the middle, with the right Content-Length",
    "repeat": "page 1 again for every cursor: the walk never ends",
    "stuck": "the page of the cursor, whose next cursor is that cursor again",
    "empty": "200 with an empty list and no next page",
    "reset": "the connection is reset before a byte is sent",
}

BODIES = {
    "html": (
        "text/html; charset=UTF-8",
        b"<!DOCTYPE html><html><head><title>Just a moment...</title></head>"
        b"<body><h1>Error 1015</h1><p>You are being rate limited</p></body></html>",
    ),
    "text": ("text/plain; charset=UTF-8", b"slow down"),
    "none": ("", b""),
}


@dataclass
class Fault:
    """One fault. It is meant for requests whose path matches `path` (a regular expression, searched
    for) and whose query holds all of `query`. The first `skip` of them pass; of the others, each is
    hit with `probability`, until `times` (null: no end) have been hit."""

    kind: str
    path: str = ""
    query: dict[str, str] = field(default_factory=dict)
    times: int | None = None
    skip: int = 0
    probability: float = 1.0
    seed: int = 0
    retry_after: int | None = None
    http_date: bool = False
    status: int = 500
    body: str = "json"
    seconds: float = 0.0
    id: int = 0
    seen: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(KINDS)}")
        if self.body != "json" and self.body not in BODIES:
            raise ValueError(f"unknown body {self.body!r}")
        self._pattern = re.compile(self.path)
        self._random = random.Random(self.seed)

    def matches(self, path: str, query: Iterable[tuple[str, str]]) -> bool:
        if not self._pattern.search(path):
            return False
        if not self.query:
            return True
        sent = {(name, value.lower()) for name, value in query}
        return all((name, str(value).lower()) in sent for name, value in self.query.items())

    def strikes(self) -> bool:
        """Counts a matching request and says whether it is hit."""
        self.seen += 1
        if self.seen <= self.skip or (self.times is not None and self.hits >= self.times):
            return False
        if self.probability < 1.0 and self._random.random() >= self.probability:
            return False
        self.hits += 1
        return True


class Faults:
    """The faults that are switched on. The first one that strikes wins."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._last_id = 0

    def add(self, kind: str, path: str = "", **options: Any) -> Fault:
        fault = Fault(kind=kind, path=path, **options)
        with self._lock:
            self._last_id += 1
            fault.id = self._last_id
            self._faults.append(fault)
        return fault

    def add_from(self, description: Mapping[str, Any]) -> Fault:
        """A fault from its JSON form (the control endpoint's)."""
        return self.add(**dict(description))

    def remove(self, fault_id: int) -> bool:
        with self._lock:
            before = len(self._faults)
            self._faults = [fault for fault in self._faults if fault.id != fault_id]
            return len(self._faults) < before

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def strike(self, path: str, query: list[tuple[str, str]]) -> Fault | None:
        """The fault that hits this request, if any."""
        with self._lock:
            for fault in self._faults:
                if fault.matches(path, query) and fault.strikes():
                    return fault
        return None

    def describe(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]
