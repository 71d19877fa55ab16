"""PredictIt's feed: every open market in one answer, made anew once a minute, in US Eastern time without an offset.

Manners: a market that has closed is gone from the answer; 0 is the price of what was never traded, and now and then a
whole number stands for a price; a missing quote is null; the end of most contracts is "N/A"; who calls too often is
refused with a page of HTML.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from tests.replica.rows import encode
from tests.replica.venues.questions import HOUR, Question, chances, number

Json = dict[str, Any]

EASTERN = ZoneInfo("America/New_York")
REFUSAL = b"<!DOCTYPE html><html><body><h1>429 Too Many Requests</h1></body></html>"


def eastern(at: int, digits: str = "") -> str:
    """The naive text of a moment, as the feed writes it."""
    text = datetime.fromtimestamp(at, EASTERN).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{digits}" if digits else text


@dataclass
class Manners:
    """`seconds_between` calls by this computer's clock; 0: as many as one likes."""

    seconds_between: float = 0.0
    clock: Callable[[], float] = time.monotonic
    _last: float | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def refuses(self) -> bool:
        if not self.seconds_between:
            return False
        with self._lock:
            now = self.clock()
            if self._last is not None and now - self._last < self.seconds_between:
                return True
            self._last = now
            return False


@dataclass(frozen=True, slots=True)
class Quote:
    """The truth about one contract at one moment; None: there is none."""

    market_id: str
    contract_id: str
    bid: Decimal | None
    ask: Decimal | None
    last_price: Decimal | None


class Listing(Protocol):
    def markets(self, now: int) -> list[Json]: ...


class PredictItWorld:
    """One market per question, one contract per answer; a question of Yes and No has one contract of its own name."""

    def __init__(self, questions: Sequence[Question], ends_at: int) -> None:
        self.questions = list(questions)
        self.ends_at = ends_at

    @staticmethod
    def feed_time(now: int) -> int:
        return now // 60 * 60

    def is_listed(self, question: Question, now: int) -> bool:
        return question.opens_at <= self.feed_time(now) < question.closes_at

    def quotes(self, now: int) -> list[Quote]:
        """The truth about everything that is listed at `now`."""
        return [
            self._quote(place, index, now)
            for place, question in enumerate(self.questions)
            if self.is_listed(question, now)
            for index in range(self._answers(question))
        ]

    @staticmethod
    def _answers(question: Question) -> int:
        return 1 if question.outcomes == ("Yes", "No") else len(question.outcomes)

    def _quote(self, place: int, index: int, now: int) -> Quote:
        question = self.questions[place]
        hour = self.feed_time(now) // HOUR
        cents = max(2, min(98, chances(question, hour * HOUR)[index] // 100))
        dice = number(question.key, "predictit", index, hour) % 12
        traded = number(question.key, "traded", index) % 5 != 0
        return Quote(
            market_id=f"predictit:{7000 + place}",
            contract_id=f"predictit:{30_000 + place * 20 + index}",
            bid=None if dice in (0, 2) else Decimal(cents - 1) / 100,
            ask=None if dice in (1, 2) else Decimal(cents + 1) / 100,
            last_price=Decimal(cents) / 100 if traded else None,
        )

    def markets(self, now: int) -> list[Json]:
        stamp = eastern(self.feed_time(now), "5270443")
        return [
            self._market(place, stamp, now)
            for place, question in enumerate(self.questions)
            if self.is_listed(question, now)
        ]

    def _market(self, place: int, stamp: str, now: int) -> Json:
        question = self.questions[place]
        is_single = self._answers(question) == 1
        contracts = []
        for index in range(self._answers(question)):
            quote = self._quote(place, index, now)
            name = question.title if is_single else question.outcomes[index]
            contracts.append(
                {
                    "id": int(quote.contract_id.split(":")[1]),
                    "dateEnd": eastern(question.closes_at) if place % 3 == 0 else "N/A",
                    "image": "",
                    "name": name,
                    "shortName": name,
                    "status": "Open",
                    "lastTradePrice": _number(quote.last_price) or 0,
                    "bestBuyYesCost": _number(quote.ask),
                    "bestBuyNoCost": None if quote.bid is None else _number(1 - quote.bid),
                    "bestSellYesCost": _number(quote.bid),
                    "bestSellNoCost": None if quote.ask is None else _number(1 - quote.ask),
                    "lastClosePrice": _number(quote.last_price),
                    "displayOrder": 0 if place % 2 else index,
                }
            )
        return {
            "id": 7000 + place,
            "name": question.title,
            "shortName": question.title,
            "image": "",
            "url": f"https://www.predictit.org/markets/detail/{7000 + place}",
            "contracts": contracts,
            "timeStamp": stamp,
            "status": "Open",
        }


class Recorded:
    """A recorded answer, as it stands."""

    def __init__(self, file: Path) -> None:
        self._markets: list[Json] = json.loads(file.read_text(encoding="utf-8"))["markets"]

    def markets(self, now: int) -> list[Json]:
        return self._markets


def mount(listing: Listing, manners: Manners | None = None) -> Mount:
    """The feed under /predictit/api/marketdata."""
    manners = manners or Manners()

    async def everything(request: Request) -> Response:
        if manners.refuses():
            return Response(REFUSAL, 429, media_type="text/html")
        return Response(encode({"markets": listing.markets(request.state.now)}), media_type="application/json")

    routes: list[BaseRoute] = [Route("/all/", everything)]
    return Mount("/predictit/api/marketdata", routes=routes)


def utc(text: str) -> datetime:
    """What a naive text of the feed means; of an hour that occurs twice, the first."""
    return datetime.fromisoformat(text[:26]).replace(tzinfo=EASTERN).astimezone(UTC)


def _number(price: Decimal | None) -> float | None:
    return None if price is None else float(price)
