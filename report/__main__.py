"""`python -m report`: the public tables, for people.

Exit codes: 0 given, 2 it cannot be given (the message says why) or wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console

#: Narrow enough for a split screen and for a log; a terminal that is wider is used as it is.
PLAIN_WIDTH = 100
WIDE_WIDTH = 132


class ReportConsole(Console):
    """A console whose reader (`| head`) may leave when it has seen enough: that is no error."""

    def on_broken_pipe(self) -> None:
        try:
            super().on_broken_pipe()
        except SystemExit:
            sys.exit(0)


def parser() -> argparse.ArgumentParser:
    """The command line; the tests of the documentation read it too."""
    top = argparse.ArgumentParser(prog="python -m report", description="Prints the public tables.")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    leaderboard = commands.add_parser("leaderboard", help="the best wallets of each category, by omega")
    leaderboard.add_argument("--category", help="this category alone (default: all)")
    leaderboard.add_argument("--top", type=_positive, default=10, help="wallets per category (default: 10)")
    leaderboard.add_argument(
        "--period",
        choices=("all", "365d", "90d", "30d"),
        default="all",
        help="markets resolved in it (default: all)",
    )
    leaderboard.add_argument("--wide", action="store_true", help="wallet addresses in full")
    commands.add_parser("summary", help="rows per public table, coverage, what the last run added")
    commands.add_parser("venues", help="markets and prices of each venue, and how far they reach")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    # Imported after the arguments are known to be right: dlt takes half a second.
    from report.leaderboard import print_leaderboard
    from report.summary import print_summary
    from report.venues import print_venues
    from report.warehouse import ReportError, open_warehouse

    # Off a terminal rich would take 80 columns; full addresses need more than most terminals have.
    wide = options.command == "leaderboard" and options.wide
    width = WIDE_WIDTH if wide else None if sys.stdout.isatty() else PLAIN_WIDTH
    console = ReportConsole(width=width)
    try:
        with open_warehouse() as warehouse:
            if options.command == "summary":
                print_summary(console, warehouse)
            elif options.command == "venues":
                print_venues(console, warehouse)
            else:
                print_leaderboard(console, warehouse, options.period, options.top, options.category, options.wide)
    except ReportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
