"""Polymarket: where its APIs are, how large their pages, how they name things.

Source: docs.polymarket.com/api-reference (Data API v2, Gamma keyset), read in 2026.
"""

from __future__ import annotations

from dataclasses import field

from dlt.common.configuration import configspec

from extract.raw import RawTable
from extract.settings import VenueSettings

DATA_PAGE = 1000
"""Largest page of /v2/trades and /v2/activity; a larger `limit` is silently cut or refused."""

GAMMA_PAGE = 100
"""Largest page of the keyset lists and largest number of ids in one look-up (the URL limit is about 8 kB)."""

LEADERBOARD_PAGE = 1000

LEADERBOARD_CATEGORIES = [
    "politics",
    "sports",
    "crypto",
    "finance",
    "culture",
    "mentions",
    "weather",
    "economics",
    "tech",
    "esports",
    "combos",
]

RESOLUTIONS_BATCH = 20
"""Most conditions that one request may name."""

DUST = "0.000001"
"""Least holding of /v2/positions; left out, it means 0.1 shares."""

ACTIVITY_TYPES = (
    "TRADE,SPLIT,MERGE,REDEEM,CONVERSION,REWARD,MAKER_REBATE,TAKER_REBATE,REFERRAL_REWARD,"
    "MIGRATION,YIELD,DEPOSIT,WITHDRAWAL,TIP"
)

TRADES = RawTable(
    "trades",
    {
        "transaction_hash": "transaction_hash",
        "proxy_wallet": "proxy_wallet",
        "token_id": "token_id",
        "condition_id": "condition_id",
        "side": "side",
        "size": "size",
        "price": "price",
        "timestamp": "timestamp",
    },
)
ACTIVITY = RawTable(
    "activity",
    {
        "transaction_hash": "transaction_hash",
        "proxy_wallet": "proxy_wallet",
        "token_id": "token_id",
        "condition_id": "condition_id",
        "type": "type",
        "side": "side",
        "size": "size",
        "price": "price",
        "usdc_size": "usdc_size",
        "timestamp": "timestamp",
    },
)
FEED = RawTable("feed", {"proxy_wallet": "proxy_wallet", "timestamp": "timestamp"})
MARKETS = RawTable("markets", {"id": "id", "condition_id": "conditionId", "slug": "slug"})
EVENTS = RawTable("events", {"id": "id", "slug": "slug"})
LEADERBOARD = RawTable("leaderboard", {"user_id": "user_id"})
POSITIONS = RawTable(
    "positions",
    {
        "proxy_wallet": "proxy_wallet",
        "token_id": "token_id",
        "condition_id": "condition_id",
        "status": "status",
        "current_size": "current_size",
        "total_size": "total_size",
        "avg_price": "avg_price",
        "current_price": "current_price",
        "entry_cost_usdc": "entry_cost_usdc",
        "entry_fees_usdc": "entry_fees_usdc",
        "realized_pnl": "realized_pnl",
        "unrealized_pnl": "unrealized_pnl",
        "total_pnl": "total_pnl",
        "last_event_at": "last_event_at",
    },
)
STANDINGS = RawTable("standings", {"user_id": "user_id", "pnl": "pnl", "rank_pnl": "rank_pnl", "volume": "volume"})
RESOLUTIONS = RawTable(
    "resolutions",
    {"condition_id": "condition_id", "status": "status", "payouts": "payouts", "resolved_at": "resolved_at"},
)
PRICES = RawTable(
    "prices",
    {"token_id": "token_id", "timestamp": "timestamp", "price": "price", "resolution_seconds": "resolution_seconds"},
)
STATUS = RawTable("status", {"computed_at": "computed_at"})


@configspec
class PolymarketSettings(VenueSettings):
    """Settings `SOURCES__POLYMARKET__…`."""

    data_api_url: str = "https://data-api.polymarket.com"
    gamma_api_url: str = "https://gamma-api.polymarket.com"
    requests_per_second: float = 20.0
    """Per host. The tightest documented limit on these routes is 200 requests in 10 seconds."""
    leaderboard_wallets: int = 500
    """How many wallets of each leaderboard a run with no list of wallets takes in."""
    leaderboard_categories: list[str] = field(default_factory=lambda: list(LEADERBOARD_CATEGORIES))
    """Categories whose leaderboards are read beside the overall one."""
