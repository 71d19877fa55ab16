"""Settings that all venues share, resolved by dlt from environment, `.dlt/config.toml` and `.dlt/secrets.toml`."""

from __future__ import annotations

from typing import TypeVar

from dlt.common.configuration import configspec
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.configuration.specs import BaseConfiguration


class UsageError(Exception):
    """What was asked for cannot be done; the message names the option or setting and says what to do."""


@configspec
class VenueSettings(BaseConfiguration):
    """Pace, parallelism and overlap of one venue's walks."""

    requests_per_second: float = 10.0
    workers: int = 8
    """Walks under way at once: as many as keep 20 requests a second where an answer takes a third of one."""
    overlap: int = 900
    """Seconds that an incremental walk reads again before its watermark, for rows that the venue shows late."""
    walks_per_load: int = 400
    """Whole histories in one package, what a crash can cost at most; of walks from a watermark on, ten times more."""
    due_requests: int = 40
    """Requests that a run without options may spend on markets and settlements that are due by the clock."""
    wallets_table: str | None = None
    """SCHEMA.TABLE.COLUMN of the warehouse that names wallets to follow."""


Settings = TypeVar("Settings", bound=BaseConfiguration)
OfVenue = TypeVar("OfVenue", bound=VenueSettings)


def resolve_section(settings: Settings, name: str) -> Settings:
    """Returns `settings` filled from `SOURCES__<NAME>__…`."""
    return resolve_configuration(settings, sections=("sources", name))


def resolve(settings: OfVenue, venue: str) -> OfVenue:
    """Returns `settings` filled from `SOURCES__<VENUE>__…`, within their ranges."""
    resolved = resolve_section(settings, venue)
    for name, least in (
        ("requests_per_second", 0.001),
        ("workers", 1),
        ("overlap", 0),
        ("walks_per_load", 1),
        ("due_requests", 1),
    ):
        if getattr(resolved, name) < least:
            raise UsageError(f"SOURCES__{venue.upper()}__{name.upper()} must be at least {least}")
    return resolved
