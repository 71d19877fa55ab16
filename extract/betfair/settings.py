"""Betfair: where its API is, what a request may weigh, how it names things."""

from __future__ import annotations

from dlt.common.configuration import configspec
from dlt.common.typing import TSecretStrValue

from extract.raw import RawTable
from extract.settings import VenueSettings

WEIGHT_LIMIT = 200
"""What one request may weigh: markets x the weight of what is asked of each. Heavier ones are TOO_MUCH_DATA."""

CATALOGUE_PARTS = ("EVENT", "EVENT_TYPE", "MARKET_START_TIME", "MARKET_DESCRIPTION", "RUNNER_DESCRIPTION")
CATALOGUE_WEIGHT = 1
"""Of MARKET_DESCRIPTION; the other parts weigh nothing."""

BOOK_WEIGHT = 5
"""Of EX_BEST_OFFERS."""

CATALOGUE_PAGE = WEIGHT_LIMIT // CATALOGUE_WEIGHT
BOOKS_PAGE = WEIGHT_LIMIT // BOOK_WEIGHT

SESSION_ENDED = frozenset({"INVALID_SESSION_INFORMATION", "NO_SESSION"})
PASSING = frozenset({"TOO_MANY_REQUESTS", "SERVICE_BUSY", "TIMEOUT_ERROR", "UNEXPECTED_ERROR"})
"""Errors that go away by themselves."""

EVENT_TYPES = RawTable("event_types", {"market_count": "marketCount"})
MARKETS = RawTable("markets", {"market_id": "marketId", "market_start_time": "marketStartTime"})
BOOKS = RawTable("books", {"market_id": "marketId", "status": "status", "last_match_time": "lastMatchTime"})


@configspec
class BetfairSettings(VenueSettings):
    """Settings `SOURCES__BETFAIR__…`. Without the first three the venue is off."""

    username: str | None = None
    password: TSecretStrValue | None = None
    app_key: TSecretStrValue | None = None
    cert_file: str | None = None
    """A client certificate with its key (.pem) for the login without a person; none: the interactive login."""
    api_url: str = "https://api.betfair.com/exchange"
    identity_url: str = "https://identitysso.betfair.com/api"
    """With a certificate: https://identitysso-cert.betfair.com/api"""
    event_types: str = "Politics"
    """Kinds of events to read, parted by commas; the venue's own names."""
    requests_per_second: float = 4.0
    """A market's book may be asked for five times a second."""
