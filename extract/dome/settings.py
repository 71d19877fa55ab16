"""Dome: where its API is, how large its pages, how it names things.

Source: Dome's published OpenAPI document. Dome announced its end of life for 2026-04-28; archives and drop-in
services speak the same format, so the base URL is a setting.
"""

from __future__ import annotations

from dlt.common.configuration import configspec
from dlt.common.typing import TSecretStrValue

from extract.raw import RawTable
from extract.settings import VenueSettings

ORDERS_PAGE = 1000
"""Largest page of orders and activity; more is refused with 400."""

MARKETS_PAGE = 100
"""Largest page of markets. The default is 10, which silently truncates look-ups of more."""

_FILL_KEYS = {
    "tx_hash": "tx_hash",
    "log_index": "log_index",
    "order_hash": "order_hash",
    "user_address": "user",
    "taker": "taker",
    "token_id": "token_id",
    "condition_id": "condition_id",
    "side": "side",
    "shares": "shares",
    "shares_normalized": "shares_normalized",
    "price": "price",
    "timestamp": "timestamp",
}

ORDERS = RawTable("orders", _FILL_KEYS)
ACTIVITY = RawTable("activity", {column: key for column, key in _FILL_KEYS.items() if key != "taker"})
MARKETS = RawTable(
    "markets",
    {"condition_id": "condition_id", "market_slug": "market_slug", "event_slug": "event_slug"},
)


@configspec
class DomeSettings(VenueSettings):
    """Settings `SOURCES__DOME__…`."""

    base_url: str = "https://api.domeapi.io/v1"
    api_key: TSecretStrValue | None = None
    """`DOME_API_KEY` is read where this is not set."""
    requests_per_second: float = 10.0
    """The free tier's limit: 100 requests in 10 seconds."""
