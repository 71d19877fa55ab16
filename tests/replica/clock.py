"""The world's clock: the only time that the replica knows, movable from tests and from outside."""

from __future__ import annotations

import threading
from datetime import UTC, datetime


def to_epoch(moment: str | int | float | datetime) -> int:
    """Epoch seconds of an ISO text, a datetime or a number. Naive moments are taken as UTC."""
    if isinstance(moment, bool):
        raise ValueError(f"not a moment: {moment!r}")
    if isinstance(moment, int | float):
        return int(moment)
    if isinstance(moment, str):
        text = moment.strip()
        if text.lstrip("-").isdigit():
            return int(text)
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())


class Clock:
    """Seconds since 1970, standing still until someone moves them.

    `auto_advance` seconds pass at each request (`tick`), so that rows appear while a walk is under
    way without anyone having to step in between two pages.
    """

    def __init__(self, now: str | int | float | datetime, auto_advance: int = 0) -> None:
        self._now = to_epoch(now)
        self._lock = threading.Lock()
        self.auto_advance = auto_advance

    def now(self) -> int:
        with self._lock:
            return self._now

    def set(self, moment: str | int | float | datetime) -> int:
        epoch = to_epoch(moment)
        with self._lock:
            self._now = epoch
            return self._now

    def advance(self, seconds: int) -> int:
        with self._lock:
            self._now += int(seconds)
            return self._now

    def tick(self) -> int:
        """The time of a request that just arrived; then the automatic advance."""
        with self._lock:
            now = self._now
            self._now += self.auto_advance
            return now

    def iso(self) -> str:
        return datetime.fromtimestamp(self.now(), UTC).isoformat().replace("+00:00", "Z")
