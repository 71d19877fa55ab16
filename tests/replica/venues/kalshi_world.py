"""What Kalshi lists: series, events, binary markets, and for every market its quotes, trades and candles at any moment,
with the truth about each. Quotes change on the hour, so a price that is written under another hour is found out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from tests.replica.venues.questions import DAY, HOUR, Question, chances, number

Json = dict[str, Any]

CATEGORIES = {"politics": "Politics", "current_affairs": "World", "tv_and_entertainment": "Entertainment"}
#: From the decision to the payment.
SETTLES_AFTER = 2 * HOUR


def iso(at: int, micros: int = 0) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{micros:06d}".rstrip("0") if micros else "") + "Z"


def dollars(price: Decimal | None, empty: str = "0.0000") -> str:
    return empty if price is None else f"{price:.4f}"


@dataclass(frozen=True, slots=True)
class Trade:
    """One match. `at` is in whole seconds, `micros` what is left."""

    id: str
    ticker: str
    at: int
    micros: int
    taker: str
    price: Decimal
    count: Decimal

    def json(self) -> Json:
        return {
            "count_fp": f"{self.count:.2f}",
            "created_time": iso(self.at, self.micros),
            "is_block_trade": False,
            "no_price_dollars": dollars(1 - self.price),
            "taker_book_side": "bid" if self.taker == "yes" else "ask",
            "taker_outcome_side": self.taker,
            "taker_side": self.taker,
            "ticker": self.ticker,
            "trade_id": self.id,
            "yes_price_dollars": dollars(self.price),
        }


@dataclass(frozen=True, slots=True)
class Quote:
    """The truth about a market at a moment; None: there is none."""

    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    volume: Decimal


@dataclass(frozen=True)
class Market:
    """Yes or No to one outcome of a question."""

    ticker: str
    event_ticker: str
    name: str
    question: Question
    index: int

    @property
    def settles_at(self) -> int:
        return self.question.decided_at + SETTLES_AFTER

    def status(self, now: int) -> str:
        question = self.question
        if now < question.opens_at:
            return "initialized"
        if now >= self.settles_at:
            return "finalized"
        if now >= question.decided_at:
            return "determined"
        if now >= question.closes_at:
            return "closed"
        return "inactive" if self._is_paused(now) else "active"

    def _is_paused(self, now: int) -> bool:
        return number(self.ticker, "paused", now // DAY) % 40 == 0

    @property
    def payout(self) -> Decimal:
        """What a share of Yes pays: of a void question its price at the end."""
        question = self.question
        if question.ending == "void":
            return self.quote_price(question.closes_at - 1) or Decimal("0.5")
        if question.ending == "dead_heat":
            return Decimal("0.5") if self.index in question.winning else Decimal(0)
        return Decimal(1) if self.index in question.winning else Decimal(0)

    @property
    def result(self) -> str:
        return {Decimal(1): "yes", Decimal(0): "no"}.get(self.payout, "scalar")

    def quote_price(self, at: int) -> Decimal | None:
        bid, ask = self.book(at)
        return bid if bid is not None else ask

    def book(self, at: int) -> tuple[Decimal | None, Decimal | None]:
        """Bid and offer of the hour, in steps of a tenth of a cent. Now and then a side is empty."""
        hour = at // HOUR
        middle = chances(self.question, at)[self.index] // 10
        spread = 3 + number(self.ticker, "spread", hour) % 20
        bid, ask = middle - spread // 2, middle + (spread + 1) // 2
        chance = number(self.ticker, "side", hour) % 20
        return (
            None if chance in (0, 2) or bid < 1 else Decimal(bid) / 1000,
            None if chance in (1, 2) or ask > 999 else Decimal(ask) / 1000,
        )

    @cached_property
    def trades(self) -> tuple[Trade, ...]:
        """Oldest first. Some markets are never traded, and in most hours nothing happens."""
        made: list[Trade] = []
        question = self.question
        if number(self.ticker, "untraded") % 9 == 0:
            return ()
        for hour in range(question.opens_at // HOUR + 1, question.closes_at // HOUR):
            for place in range(number(self.ticker, "trades", hour) % 9 // 7):
                dice = number(self.ticker, "trade", hour, place)
                bid, ask = self.book(hour * HOUR)
                taker = "yes" if dice % 2 else "no"
                price = ask if taker == "yes" else bid
                if price is None or self._is_paused(hour * HOUR):
                    continue
                made.append(
                    Trade(
                        id=f"{dice:016x}-{place}",
                        ticker=self.ticker,
                        at=hour * HOUR + dice // 7 % HOUR,
                        micros=dice // 11 % 1_000_000,
                        taker=taker,
                        price=price,
                        count=Decimal(1 + dice // 13 % 50_000) / 100,
                    )
                )
        return tuple(sorted(made, key=lambda trade: (trade.at, trade.micros)))

    @cached_property
    def _trade_times(self) -> list[int]:
        return [trade.at for trade in self.trades]

    @cached_property
    def _volumes(self) -> list[Decimal]:
        volumes, total = [Decimal(0)], Decimal(0)
        for trade in self.trades:
            total += trade.count
            volumes.append(total)
        return volumes

    def trades_between(self, after: int, until: int) -> Sequence[Trade]:
        """Trades later than `after`, up to and with `until`."""
        return self.trades[bisect_right(self._trade_times, after) : bisect_right(self._trade_times, until)]

    def quote(self, at: int) -> Quote:
        done = bisect_right(self._trade_times, at)
        last = self.trades[done - 1].price if done else None
        volume = self._volumes[done]
        if self.status(at) not in ("active", "inactive"):
            return Quote(None, None, last, volume)
        return Quote(*self.book(at), last, volume)

    def candle_ends(self, start: int, end: int, minutes: int) -> range:
        """Ends of the candles between `start` and `end`, both included, of hours in which the market was open."""
        length = minutes * 60
        first = max(start, self.question.opens_at + 1)
        last = min(end, -(-self.question.closes_at // length) * length)
        return range(-(-first // length) * length, last + 1, length)

    def candle_close(self, end: int) -> Quote:
        """The truth about the end of a candle: quotes of its last moment; the last trade is not looked at here."""
        bid, ask = self.book(min(end, self.question.closes_at) - 1)
        return Quote(bid, ask, None, Decimal(0))


class KalshiWorld:
    """All objects, each as of any moment."""

    def __init__(self, questions: Sequence[Question], ends_at: int, combos: int = 40) -> None:
        self.ends_at = ends_at
        self.questions = list(questions)
        self.combos = combos
        self.markets: list[Market] = []
        for place, question in enumerate(questions):
            event = self.event_ticker(place)
            if question.outcomes == ("Yes", "No"):
                self.markets.append(Market(event, event, question.title, question, 0))
                continue
            for index, name in enumerate(question.outcomes):
                self.markets.append(Market(f"{event}-{name[:4].upper()}{index}", event, name, question, index))
        self.by_ticker = {market.ticker: market for market in self.markets}

    def event_ticker(self, place: int) -> str:
        return f"{self.series_ticker(self.questions[place].topic)}-26Q{place}"

    @staticmethod
    def series_ticker(topic: str) -> str:
        return "KX" + topic.replace("_", "").upper()

    def series(self) -> list[Json]:
        topics = sorted({question.topic for question in self.questions})
        return [
            {
                "ticker": self.series_ticker(topic),
                "title": topic.replace("_", " ").title(),
                "frequency": "custom",
                "category": CATEGORIES[topic],
                "tags": None,
                "settlement_sources": [],
                "contract_url": "",
                "fee_type": "quadratic",
                "fee_multiplier": 1,
            }
            for topic in topics
        ]

    def events(self, min_close_ts: int, series: str | None) -> list[Json]:
        listed = []
        for place, question in enumerate(self.questions):
            if question.closes_at <= min_close_ts or series not in (None, self.series_ticker(question.topic)):
                continue
            listed.append(
                {
                    "event_ticker": self.event_ticker(place),
                    "series_ticker": self.series_ticker(question.topic),
                    "title": question.event,
                    "sub_title": "",
                    "category": CATEGORIES[question.topic],
                    "mutually_exclusive": question.winners == 1 and question.outcomes != ("Yes", "No"),
                    "collateral_return_type": "",
                    "strike_date": iso(question.decided_at),
                }
            )
        return listed

    def market_json(self, market: Market, now: int) -> Json:
        """The market as `/markets` gives it at `now`: always with the prices of now, whatever is asked for."""
        question = market.question
        quote = market.quote(now)
        is_final = market.status(now) == "finalized"
        is_known = market.status(now) in ("determined", "finalized")
        # Nobody offering is written in two ways.
        no_ask = "1.0000" if number(market.ticker) % 2 else "0.0000"
        return {
            "ticker": market.ticker,
            "event_ticker": market.event_ticker,
            "market_type": "binary",
            "title": market.name if len(question.outcomes) == 2 else f"{question.title}: {market.name}",
            "yes_sub_title": market.name,
            "no_sub_title": market.name,
            "created_time": iso(question.opens_at - DAY, 168768),
            "updated_time": iso(question.opens_at, 2000),
            "open_time": iso(question.opens_at),
            "close_time": iso(question.closes_at),
            "latest_expiration_time": iso(question.decided_at + 7 * DAY),
            "status": market.status(now),
            "result": market.result if is_known else "",
            **({"settlement_value_dollars": dollars(market.payout)} if is_known else {}),
            **({"settlement_ts": iso(market.settles_at)} if is_final else {}),
            "yes_bid_dollars": dollars(quote.bid),
            "yes_ask_dollars": dollars(quote.ask, no_ask),
            "no_bid_dollars": dollars(None if quote.ask is None else 1 - quote.ask),
            "no_ask_dollars": dollars(1 - (quote.bid or 0)),
            "yes_bid_size_fp": "0.00" if quote.bid is None else "444.32",
            "yes_ask_size_fp": "0.00" if quote.ask is None else "1967.33",
            "last_price_dollars": dollars(quote.last),
            "previous_price_dollars": dollars(quote.last),
            "notional_value_dollars": "1.0000",
            "volume_fp": f"{quote.volume:.2f}",
            "volume_24h_fp": f"{sum((t.count for t in market.trades_between(now - DAY, now)), Decimal(0)):.2f}",
            "open_interest_fp": f"{quote.volume:.2f}",
            "liquidity_dollars": "0.0000",
            "price_level_structure": "deci_cent",
            "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0010"}],
            "custom_strike": {market.name: "yes"},
            "rules_primary": "",
            "rules_secondary": "",
            "settlement_timer_seconds": 1800,
            "can_close_early": True,
        }

    def combo_json(self, place: int, now: int) -> Json:
        """A combo: empty book, with 1 as both prices of No."""
        ticker = f"KXMVESPORTSMULTIGAMEEXTENDED-S{place:06d}"
        return {
            "ticker": f"{ticker}-X",
            "event_ticker": ticker,
            "market_type": "binary",
            "title": "yes A,yes B",
            "status": "active",
            "result": "",
            "open_time": iso(now - DAY),
            "close_time": iso(now + DAY),
            "mve_collection_ticker": "KXMVESPORTSMULTIGAMEEXTENDED-R",
            "mve_selected_legs": [],
            "yes_bid_dollars": "0.0000",
            "yes_ask_dollars": "0.0000",
            "no_bid_dollars": "1.0000",
            "no_ask_dollars": "1.0000",
            "yes_bid_size_fp": "0.00",
            "yes_ask_size_fp": "0.00",
            "last_price_dollars": "0.0000",
            "volume_fp": "0.00",
            "notional_value_dollars": "1.0000",
        }

    def candle_json(self, market: Market, end: int, minutes: int, archived: bool) -> Json:
        """One candle. The archive leaves the units out of the names."""
        unit, count = ("", "") if archived else ("_dollars", "_fp")
        start = end - minutes * 60
        books = [market.book(at) for at in range(max(start, market.question.opens_at), end, HOUR)] or [
            market.book(end - 1)
        ]
        close = market.candle_close(end)
        trades = market.trades_between(start - 1, end - 1)
        prices = [trade.price for trade in trades]
        before = market.trades_between(0, start - 1)

        def ladder(values: list[Decimal], last: str, empty: str) -> Json:
            low, high = (dollars(min(values)), dollars(max(values))) if values else (empty, empty)
            first = dollars(values[0]) if values else empty
            return {f"open{unit}": first, f"low{unit}": low, f"high{unit}": high, f"close{unit}": last}

        bids = [bid for bid, _ in books if bid is not None]
        asks = [ask for _, ask in books if ask is not None]
        price: Json = {f"previous{unit}": dollars(before[-1].price)} if before else {}
        if prices:
            price |= ladder(prices, dollars(prices[-1]), "") | {f"mean{unit}": dollars(sum(prices) / len(prices))}
        elif archived:
            price |= {"open": None, "low": None, "high": None, "close": None, "mean": None}
        return {
            "end_period_ts": end,
            "yes_bid": ladder(bids, dollars(close.bid), "0.0000"),
            "yes_ask": ladder(asks, dollars(close.ask, "1.0000"), "1.0000"),
            "price": price,
            f"volume{count}": f"{sum((trade.count for trade in trades), Decimal(0)):.2f}",
            f"open_interest{count}": f"{market.quote(end - 1).volume:.2f}",
        }
