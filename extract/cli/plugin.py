"""dlt's plug-in hook: `dlt pipeline [VENUE] run`, `status` and `verify`.

Imported by every dlt command, so it imports next to nothing itself; the commands import what they need when they run.
"""

from __future__ import annotations

import argparse
from typing import Any

from dlt.common.configuration.plugins import SupportsCliCommand, hookimpl, only_host

#: Venues that are read wallet by wallet, and those that are read for their markets and prices.
WALLET_VENUES = ("polymarket", "dome")
PRICE_VENUES = ("kalshi", "predictit", "smarkets", "betfair")
VENUES = WALLET_VENUES + PRICE_VENUES


class RunCommand(SupportsCliCommand):
    command = "run"
    parent = "pipeline"
    help_string = "Fetches what is new from a venue's API into the warehouse"
    docs_url = None
    description = (
        "Fetches trades, ledgers, markets and events of a venue (default: polymarket) into the warehouse. "
        "Without options: every wallet that is due or that the venue's feed of trades names, each from where its last "
        "completed walk ended, less the overlap; a wallet that was never completed is read whole. Of venues that hide "
        "wallets: all open markets with their prices of now, and what was traded since the last run. "
        "Exit codes: 0 all done, 1 done with failures (named), 2 wrong usage or setting, "
        "3 stopped early, the same command resumes."
    )

    def configure_parser(self, parser: argparse.ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--wallets",
            metavar="A,B|FILE",
            help="only these: addresses parted by commas, or a file (CSV) with an address at the start of each line",
        )
        which.add_argument("--top", type=int, metavar="N", help="only the first N wallets of the venue's leaderboard")
        which.add_argument(
            "--markets",
            metavar="A,B|FILE",
            help="all trades of these markets, whosesoever: condition ids, given like --wallets",
        )
        parser.add_argument("--active-only", action="store_true", help="only wallets that traded lately")
        parser.add_argument("--max-wallets", type=int, metavar="N", help="stop after N wallets, most urgent first")
        parser.add_argument(
            "--shard",
            metavar="I/N",
            help="only part I of N, by a hash of each address: N computers that share a backfill never overlap",
        )
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--backfill",
            action="store_true",
            help="the whole history of every wallet that was never completed; started again it goes on where it ended",
        )
        how.add_argument("--retry-failed", action="store_true", help="only wallets whose last walk failed")
        how.add_argument("--all", action="store_true", help="every wallet, whether it is due or not")
        how.add_argument("--since", metavar="ISO", help="from this moment on (UTC where it names no offset)")
        how.add_argument("--full", action="store_true", help="whole history again, with no lower bound")
        parser.add_argument(
            "--from",
            dest="from_",
            metavar="ISO",
            help="history of prices and trades from this moment on, window by window, without those completed before",
        )
        parser.add_argument("--to", metavar="ISO", help="end of that range (default: now)")
        parser.add_argument("--window", default="7d", metavar="LENGTH", help="length of a window: 7d, 12h (default 7d)")
        parser.add_argument("--workers", type=int, metavar="N", help="walks under way at once (default: the setting)")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="ask the venue for the same pages, load nothing, and say what would be fetched in how many requests",
        )

    def execute(self, args: argparse.Namespace) -> None:
        from extract.cli import market, run

        of_prices = args.pipeline_name in PRICE_VENUES or args.from_ or args.to
        (market if of_prices else run).execute(args)


class StatusCommand(SupportsCliCommand):
    command = "status"
    parent = "pipeline"
    help_string = "Shows runs, wallets by sync status, freshness and failures"
    docs_url = None
    description = (
        "Shows the last runs of a venue (default: polymarket), its wallets by sync status, how fresh they are, and "
        "what failed and why. Reads the warehouse only. "
        "Exit codes: 0 shown, 1 shown and some wallets or windows are failed, 2 wrong usage or setting, "
        "3 warehouse busy."
    )

    def configure_parser(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")

    def execute(self, args: argparse.Namespace) -> None:
        from extract.cli import status

        status.execute(args)


class VerifyCommand(SupportsCliCommand):
    command = "verify"
    parent = "pipeline"
    help_string = "Asks the venue again and compares its answers with the warehouse"
    docs_url = None
    description = (
        "Asks a venue (default: polymarket) once more for a sample of wallets and for the markets that they name, or "
        "for all wallets in a range of time, and compares counts and keys with the warehouse. Loads nothing. Rows "
        "newer than what the last build should have are no gaps. "
        "Exit codes: 0 nothing is missing, 1 something is (named) or was not answered, 2 wrong usage or setting, "
        "3 warehouse busy."
    )

    def configure_parser(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--from", dest="bound_from", metavar="ISO", help="from this moment on, all wallets")
        parser.add_argument("--to", dest="bound_to", metavar="ISO", help="up to this moment, all wallets")
        parser.add_argument("--last-week", action="store_true", help="the last seven days, all wallets")
        parser.add_argument(
            "--sample", type=int, metavar="N", help="only N wallets, others every day (50 where no range is given)"
        )
        parser.add_argument("--wallets", metavar="A,B", help="only these wallets")
        parser.add_argument(
            "--gaps-only", action="store_true", help="no request: only the gaps that the warehouse itself knows of"
        )
        parser.add_argument("--checkpoints", action="store_true", help="failed and unfinished checkpoints, too")
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")

    def execute(self, args: argparse.Namespace) -> None:
        from extract.cli import verify

        verify.execute(args)


@hookimpl(specname="plug_cli")
@only_host("dlt")
def plug_run(host: str) -> Any:
    return RunCommand


@hookimpl(specname="plug_cli")
@only_host("dlt")
def plug_status(host: str) -> Any:
    return StatusCommand


@hookimpl(specname="plug_cli")
@only_host("dlt")
def plug_verify(host: str) -> Any:
    return VerifyCommand
