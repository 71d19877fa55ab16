"""`python -m benchmarks`: prints the figures of all benchmarks, or of the named ones."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import date

from benchmarks import build, fleet, ingest, luck, memory, omega, whale
from benchmarks.figures import WIDTH, Benchmark, Say, lines
from benchmarks.measure import load_warning, machine
from benchmarks.sizes import DEFAULT, SOAK, Sizes

BENCHMARKS: dict[str, Callable[[Sizes, Say], Benchmark]] = {
    "ingest": ingest.run,
    "memory": memory.run,
    "fleet": fleet.run,
    "build": build.run,
    "omega": omega.run,
    "luck": luck.run,
    "whale": whale.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--soak", action="store_true", help="larger numbers and more repeats")
    options = parser.parse_args()
    print(f"{date.today().isoformat()}, {machine()}", flush=True)
    warning = load_warning()
    if warning:
        print(warning, flush=True)
    for name in options.only or BENCHMARKS:
        print(flush=True)
        start = time.perf_counter()
        benchmark = BENCHMARKS[name](SOAK if options.soak else DEFAULT, _say)
        _say("")
        print(*lines(benchmark), sep="\n", flush=True)
        _say(f"{name} took {time.perf_counter() - start:.0f} s")
    _say("")


def _say(what: str) -> None:
    """One line of progress that writes over the last; nothing where nobody watches."""
    if sys.stderr.isatty():
        print(f"\r{what:<{WIDTH}}\r", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
