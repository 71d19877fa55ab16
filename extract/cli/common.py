"""What the sub-commands share: venues by name, exit codes, and one sentence per mistake."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NoReturn

from dlt.common.configuration.exceptions import ConfigurationException
from rich.console import Console
from rich.markup import escape

from extract.cli.plugin import VENUES
from extract.price_venue import PriceVenue
from extract.settings import UsageError
from extract.venue import Venue
from extract.warehouse import WarehouseBusyError

DONE, DONE_WITH_FAILURES, WRONG_USAGE, STOPPED_EARLY = 0, 1, 2, 3


def venue_name(args: argparse.Namespace) -> str:
    name = str(args.pipeline_name or VENUES[0])
    if name not in VENUES:
        raise UsageError(f"unknown venue {name!r}: choose one of {', '.join(VENUES)}")
    return name


def venue(name: str) -> Venue:
    """Makes the venue's readings; raises UsageError that names the setting where one is missing or wrong."""
    makers: dict[str, Callable[[], Venue]] = {"polymarket": _polymarket, "dome": _dome}
    return makers[name]()


def price_venue(name: str) -> PriceVenue:
    """Makes the readings of markets and prices; raises UsageError where the venue has none or a setting is wrong."""
    makers: dict[str, Callable[[], PriceVenue]] = {
        "polymarket": _polymarket_prices,
        "kalshi": _kalshi,
        "predictit": _predictit,
        "smarkets": _smarkets,
        "betfair": _betfair,
    }
    if name not in makers:
        raise UsageError(f"{name} gives no history of prices")
    return makers[name]()


def _polymarket_prices() -> PriceVenue:
    from extract.polymarket.prices import PolymarketPrices

    return PolymarketPrices()


def _kalshi() -> PriceVenue:
    from extract.kalshi import Kalshi

    return Kalshi()


def _predictit() -> PriceVenue:
    from extract.predictit import PredictIt

    return PredictIt()


def _smarkets() -> PriceVenue:
    from extract.smarkets import Smarkets

    return Smarkets()


def _betfair() -> PriceVenue:
    from extract.betfair import Betfair

    return Betfair()


def _polymarket() -> Venue:
    from extract.polymarket import Polymarket

    return Polymarket()


def _dome() -> Venue:
    from extract.dome import Dome

    return Dome()


def moment(option: str, text: str) -> datetime:
    """An ISO date or time as a moment, UTC where it names no offset. Raises UsageError."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option}: {text!r} is no ISO date or time, such as 2026-03-01 or 2026-03-01T12:30:00Z"
        ) from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


@contextmanager
def mistakes_explained(console: Console) -> Iterator[None]:
    """Turns expected mistakes into one line and the right exit code; everything else keeps its traceback."""
    try:
        yield
    except WarehouseBusyError as error:
        _say(console, str(error))
        end(STOPPED_EARLY)
    except (UsageError, ConfigurationException) as error:
        _say(console, str(error))
        end(WRONG_USAGE)


def end(code: int) -> NoReturn:
    """Ends the command with `code`, past dlt's own handling, which would add a link to dlt's documentation."""
    raise SystemExit(code)


def _say(console: Console, message: str) -> None:
    console.print(f"[bold red]Error:[/] {escape(message)}", soft_wrap=True)
