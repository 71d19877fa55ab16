"""PredictIt: where its feed is, how it names things."""

from __future__ import annotations

from dlt.common.configuration import configspec

from extract.raw import RawTable
from extract.settings import VenueSettings

MARKETS = RawTable("markets", {"id": "id", "time_stamp": "timeStamp", "status": "status"})
CONTRACTS = RawTable(
    "contracts",
    {
        "id": "id",
        "market_id": "marketId",
        "time_stamp": "timeStamp",
        "date_end": "dateEnd",
        "status": "status",
        "last_trade_price": "lastTradePrice",
        "best_buy_yes_cost": "bestBuyYesCost",
        "best_buy_no_cost": "bestBuyNoCost",
        "best_sell_yes_cost": "bestSellYesCost",
        "best_sell_no_cost": "bestSellNoCost",
        "last_close_price": "lastClosePrice",
    },
)


@configspec
class PredictItSettings(VenueSettings):
    """Settings `SOURCES__PREDICTIT__…`."""

    base_url: str = "https://www.predictit.org/api/marketdata"
    requests_per_second: float = 1 / 60
    """The feed is made anew once a minute, and the venue asks for no more than one call in that time."""
