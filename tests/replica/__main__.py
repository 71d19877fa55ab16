"""`python -m tests.replica`: the replica as a process of its own.

    python -m tests.replica --port 8787                          a small synthetic world
    python -m tests.replica --wallets 500 --markets 2000 --fills 100000 --now 2026-01-01
    python -m tests.replica --recorded DIR                       recorded answers
    eval "$(python -m tests.replica --print-env --port 8787)"    the settings that point here

The world's clock stands still until POST /_control/clock moves it, or --auto-advance does.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from tests.replica import dome
from tests.replica.app import create_app
from tests.replica.clock import Clock, to_epoch
from tests.replica.from_world import WorldSource
from tests.replica.recorded import RecordedSource
from tests.replica.server import free_socket, settings, uvicorn_server
from tests.replica.source import Source
from tests.replica.venues import mounts
from tests.replica.world import DEFAULT_END, build_world


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.replica", description="Local replica of the venues' APIs.")
    parser.add_argument("--port", type=int, default=8787, help="0: a free one (default 8787)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--wallets", type=int, default=60)
    parser.add_argument("--markets", type=int, default=200)
    parser.add_argument("--fills", type=int, default=5_000)
    parser.add_argument("--questions", type=int, default=25, help="questions on the venues of prices")
    parser.add_argument("--days", type=int, default=240, help="length of the story")
    parser.add_argument("--ends-at", type=to_epoch, default=DEFAULT_END, help="end of the story")
    parser.add_argument("--now", type=to_epoch, help="the world's time (default: the story's end)")
    parser.add_argument("--recorded", type=Path, metavar="DIR", help="serve recorded answers")
    parser.add_argument("--auto-advance", type=int, default=0, metavar="S", help="seconds that pass per request")
    parser.add_argument("--cdn", action="store_true", help="cache Data API answers as the live CDN does")
    parser.add_argument("--print-env", action="store_true", help="print the settings as export lines, and exit")
    return parser.parse_args(arguments)


def make_source(options: argparse.Namespace) -> Source:
    if options.recorded is not None:
        return RecordedSource(options.recorded)
    return WorldSource(
        build_world(
            seed=options.seed,
            wallets=options.wallets,
            markets=options.markets,
            fills=options.fills,
            days=options.days,
            ends_at=options.ends_at,
        )
    )


def export_lines(port: int, dome_key: str) -> str:
    pairs = settings(port, dome_key).items()
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in pairs)


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    manners = dome.Manners()
    if options.print_env:
        if not options.port:
            print("--print-env needs a fixed --port", file=sys.stderr)
            return 2
        print(export_lines(options.port, manners.api_key))
        return 0
    try:
        listener = free_socket(options.port)
    except OSError as error:
        print(f"cannot listen on port {options.port}: {error}", file=sys.stderr)
        return 2
    try:
        source = make_source(options)
    except (OSError, ValueError) as error:
        print(f"cannot serve: {error}", file=sys.stderr)
        return 2
    clock = Clock(source.ends_at if options.now is None else options.now, options.auto_advance)
    venues = mounts(options.seed, options.questions, source.ends_at)
    app = create_app(source, clock, dome_manners=manners, cdn=options.cdn, mounts=venues)
    port = listener.getsockname()[1]
    print(f"replica at http://127.0.0.1:{port}, world time {clock.iso()}")
    for name, number in source.stats(clock.now()).items():
        print(f"  {name:>14}: {number}")
    print(export_lines(port, manners.api_key), flush=True)
    uvicorn_server(app).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
