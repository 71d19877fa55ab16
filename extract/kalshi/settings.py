"""Kalshi: where its API is, how large its pages, how it names things.

Source: Kalshi's OpenAPI document 3.34.0 (docs.kalshi.com/openapi.yaml).
"""

from __future__ import annotations

from dlt.common.configuration import configspec

from extract.raw import RawTable
from extract.settings import VenueSettings

MARKETS_PAGE = 1000
TRADES_PAGE = 1000
EVENTS_PAGE = 200

CANDLE_TICKERS = 100
"""Most markets in one request for candles."""
CANDLES_PER_ANSWER = 10_000
"""Most candles in one answer, over all of its markets."""
CANDLE_MINUTES = (1, 60, 1440)

CUTOFFS = RawTable("cutoffs", {"market_settled_ts": "market_settled_ts", "trades_created_ts": "trades_created_ts"})
SERIES = RawTable("series", {"ticker": "ticker", "title": "title", "category": "category"})
EVENTS = RawTable("events", {"event_ticker": "event_ticker", "series_ticker": "series_ticker"})
MARKETS = RawTable(
    "markets",
    {
        "ticker": "ticker",
        "event_ticker": "event_ticker",
        "status": "status",
        "open_time": "open_time",
        "close_time": "close_time",
        "settlement_ts": "settlement_ts",
    },
)
TRADES = RawTable(
    "trades",
    {
        "trade_id": "trade_id",
        "ticker": "ticker",
        "count_fp": "count_fp",
        "yes_price_dollars": "yes_price_dollars",
        "taker_outcome_side": "taker_outcome_side",
        "created_time": "created_time",
    },
)
CANDLES = RawTable(
    "candles",
    {
        "market_ticker": "market_ticker",
        "period_interval": "period_interval",
        "end_period_ts": "end_period_ts",
        "yes_bid": "yes_bid",
        "yes_ask": "yes_ask",
        "price": "price",
    },
)


@configspec
class KalshiSettings(VenueSettings):
    """Settings `SOURCES__KALSHI__…`."""

    base_url: str = "https://external-api.kalshi.com/trade-api/v2"
    requests_per_second: float = 8.0
    """The limit without a key is not published; public recorders pace themselves at 7 to 10 requests a second."""
    candle_minutes: int = 60
    """Length of a candle: 1, 60 or 1440 minutes."""
    series: str | None = None
    """Tickers of series with commas between; nothing else is read then. None: everything but combos."""
