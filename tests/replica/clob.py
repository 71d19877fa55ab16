"""CLOB: price history of a token, order book, and the list of all markets."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.replica.rows import encode
from tests.replica.source import MarketView, Source

DAY = 86_400
MINUTE = 60
PAGE = 1_000
#: base64 of "-1": there is no further page.
END = "LTE="
INTERVALS = {"1h": 3600, "6h": 21_600, "1d": DAY, "1w": 7 * DAY, "1m": 30 * DAY}
#: Longer windows between startTs and endTs are refused.
MAX_WINDOW = 15 * DAY
#: Resolved markets keep nothing finer, in minutes.
RESOLVED_FIDELITY = 720


def refuse(message: str, status: int = 400) -> Response:
    return Response(encode({"error": message}), status, media_type="application/json")


def routes(source: Source) -> list[Route]:
    catalogue = source.gamma

    def market_of(token_id: str, now: int) -> MarketView | None:
        views = catalogue.markets(now)
        return next((view for view in views if token_id in view.token_ids), None)

    def details(view: MarketView, now: int) -> dict[str, Any]:
        value: dict[str, Any] = msgspec.json.decode(catalogue.market_json(view.id, now, True))
        return value

    async def prices_history(request: Request) -> Response:
        now, query = request.state.now, request.query_params
        token = query.get("market")
        if not token:
            return refuse("'market' is required")
        try:
            fidelity = int(query.get("fidelity", 1))
            bounds = [int(query[name]) for name in ("startTs", "endTs") if name in query]
        except ValueError:
            return refuse("invalid filters")
        if "interval" in query:
            if query["interval"] not in (*INTERVALS, "max", "all"):
                return refuse("invalid interval")
            first = now - INTERVALS[query["interval"]] if query["interval"] in INTERVALS else 0
            last = now
        elif "startTs" in query:
            first, last = bounds[0], bounds[1] if len(bounds) == 2 else now
            if last - first > MAX_WINDOW:
                return refuse("invalid filters: 'startTs' and 'endTs' interval is too long")
        else:
            return refuse("invalid filters: either 'interval' or 'startTs' is required")
        view = market_of(token, now)
        resolved = view is not None and view.closed
        width = max(fidelity, 1) * MINUTE
        closes: dict[int, float] = {}
        if not resolved or fidelity >= RESOLVED_FIDELITY:
            for at, price in source.data.prices(token, min(now, last)):
                if at >= first:
                    closes[at - at % width] = price
        history = [{"t": at, "p": round(price, 4)} for at, price in closes.items()]
        return Response(encode({"history": history}), media_type="application/json")

    async def book(request: Request) -> Response:
        now, token = request.state.now, request.query_params.get("token_id", "")
        view = market_of(token, now)
        if view is None or view.closed:
            return refuse("No orderbook exists for the requested token id", 404)
        fields = details(view, now)
        outcome = view.token_ids.index(token)
        middle = round(float(msgspec.json.decode(fields["outcomePrices"])[outcome]) * 1000)
        bids = [price for price in range(middle - 50, middle, 10) if price > 0]
        asks = [price for price in range(middle + 50, middle, -10) if price < 1000]

        def level(place: int, price: int) -> dict[str, str]:
            return {"price": f"{price / 1000:g}", "size": f"{100 * (place + 1)}.5"}

        # The worst price comes first on both sides: the best one is last.
        body = {
            "market": view.condition_id,
            "asset_id": token,
            "timestamp": str(now * 1000),
            "hash": f"{hash((token, now)) & 0xFFFFFFFF:040x}",
            "bids": [level(place, price) for place, price in enumerate(bids)],
            "asks": [level(place, price) for place, price in enumerate(asks)],
            "min_order_size": "5",
            "tick_size": "0.001",
            "neg_risk": fields.get("negRisk", False),
            "last_trade_price": str(fields.get("lastTradePrice", "")),
        }
        return Response(encode(body), media_type="application/json")

    async def markets(request: Request) -> Response:
        now, cursor = request.state.now, request.query_params.get("next_cursor", "")
        try:
            offset = int(base64.b64decode(cursor, validate=True)) if cursor else 0
        except (ValueError, binascii.Error):
            return refuse("next item should be greater than or equal to 0")
        if offset < 0:
            return refuse("next item should be greater than or equal to 0")
        views = catalogue.markets(now)
        page = [clob_market(details(view, now)) for view in views[offset : offset + PAGE]]
        more = offset + PAGE < len(views)
        following = base64.b64encode(str(offset + PAGE).encode()).decode() if more else END
        body = {"data": page, "next_cursor": following, "limit": PAGE, "count": len(page)}
        return Response(encode(body), media_type="application/json")

    return [
        Route("/prices-history", prices_history),
        Route("/book", book),
        Route("/markets", markets),
    ]


def clob_market(fields: dict[str, Any]) -> dict[str, Any]:
    """A Gamma market in CLOB's words."""
    outcomes, tokens, prices = (
        msgspec.json.decode(fields[name]) for name in ("outcomes", "clobTokenIds", "outcomePrices")
    )
    decided = fields["closed"] and fields.get("umaResolutionStatus") in (None, "resolved")
    return {
        "condition_id": fields["conditionId"],
        "question_id": fields.get("questionID", ""),
        "question": fields["question"],
        "market_slug": fields["slug"],
        "end_date_iso": fields.get("endDate"),
        "active": fields["active"],
        "closed": fields["closed"],
        "archived": fields["archived"],
        "accepting_orders": fields.get("acceptingOrders", False),
        "neg_risk": fields.get("negRisk", False),
        "is_50_50_outcome": decided and set(prices) == {"0.5"},
        "tokens": [
            {
                "token_id": token,
                "outcome": outcome,
                "price": float(price),
                "winner": bool(decided and price == "1"),
            }
            for token, outcome, price in zip(tokens, outcomes, prices, strict=True)
        ],
        # Labels only, no slugs.
        "tags": [tag["label"] for tag in fields.get("tags", ())],
    }
