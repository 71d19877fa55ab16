"""Smarkets: where its API is, how many ids it takes at once, how it names things."""

from __future__ import annotations

from dlt.common.configuration import configspec

from extract.raw import RawTable
from extract.settings import VenueSettings

EVENTS_PAGE = 1000
"""Largest page of events. The default is 20."""

EVENT_IDS, CONTRACT_IDS, QUOTE_IDS, LAST_PRICE_IDS, VOLUME_IDS = 50, 100, 200, 100, 300
"""Most ids in one request; more are refused with 414."""

LISTED_STATES = ("new", "upcoming", "live", "suspended", "ended")
"""Every event that is not decided. By default only the first three are listed."""

EVENTS = RawTable("events", {"id": "id", "parent_id": "parent_id", "state": "state", "bettable": "bettable"})
MARKETS = RawTable("markets", {"id": "id", "event_id": "event_id", "state": "state"})
CONTRACTS = RawTable("contracts", {"id": "id", "market_id": "market_id", "state_or_outcome": "state_or_outcome"})
QUOTES = RawTable("quotes", {"contract_id": "contract_id", "market_id": "market_id"})
LAST_PRICES = RawTable(
    "last_prices",
    {
        "contract_id": "contract_id",
        "market_id": "market_id",
        "last_executed_price": "last_executed_price",
        "timestamp": "timestamp",
    },
)
VOLUMES = RawTable("volumes", {"market_id": "market_id", "volume": "volume"})


@configspec
class SmarketsSettings(VenueSettings):
    """Settings `SOURCES__SMARKETS__…`."""

    base_url: str = "https://api.smarkets.com/v3"
    requests_per_second: float = 0.3
    """The limit without an account is 20 requests in 60 seconds; this is 18."""
    domains: str = "politics,current_affairs,tv_and_entertainment"
    """Kinds of events to read, parted by commas; the venue's own words."""
