"""Figures and the table that they are printed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

#: Tells whoever watches what is being done.
Say = Callable[[str], None]

WIDTH = 100
_ROW = "{:<44}{:>12}{:>12}{:>7}  {:<15}{}"


@dataclass(frozen=True)
class Figure:
    """One measurement.

    Args:
        name: what was measured.
        measured, limit: in `unit`; the limit is what the same machine does in the same run without the project.
        unit: `/s`, `s`, `MB` or `%`.
        target: in words; empty: the figure is there to explain another.
        is_met: whether the target is met; None where there is none.
    """

    name: str
    measured: float
    limit: float | None = None
    unit: str = "s"
    target: str = ""
    is_met: bool | None = None

    @property
    def ratio(self) -> float | None:
        """Measured / limit."""
        return self.measured / self.limit if self.limit else None


@dataclass(frozen=True)
class Benchmark:
    """The figures of one benchmark, and lines that say under which circumstances they were measured."""

    name: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()


def lines(benchmark: Benchmark) -> Iterable[str]:
    """The benchmark as text, at most `WIDTH` columns wide."""
    yield _ROW.format(benchmark.name, "measured", "limit", "ratio", "target", "met").rstrip()
    yield "-" * WIDTH
    for figure in benchmark.figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        met = {True: "yes", False: "NO", None: ""}[figure.is_met]
        limit = "" if figure.limit is None else amount(figure.limit, figure.unit)
        measured = amount(figure.measured, figure.unit)
        yield _ROW.format(f"  {figure.name}", measured, limit, ratio, figure.target, met).rstrip()
    for note in benchmark.notes:
        yield from _wrapped(note)


def amount(value: float, unit: str) -> str:
    """A value as a reader wants it: `41,234 /s`, `12.3 s`, `0.042 s`, `512 MB`."""
    digits = 0 if unit in ("/s", "MB") else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f} {unit}"


def _wrapped(note: str) -> Iterable[str]:
    line = "  "
    for word in note.split():
        if len(line) + len(word) >= WIDTH:
            yield line.rstrip()
            line = "  "
        line += word + " "
    yield line.rstrip()
