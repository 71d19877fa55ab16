"""What Smarkets lists: an event tree, markets, contracts, and a book at every hour; with the truth about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from tests.replica.venues.questions import CERTAIN, DAY, HOUR, Question, build_questions, chances, number

Json = dict[str, Any]

#: The ends of the ladder stand in books although nobody offers them, with this quantity (2**31 - 2).
LADDER_ENDS = (1, 9_999)
LADDER_END_QUANTITY = 2_147_483_646
#: The older name of a topic as an event's type.
OLD_TYPES = {"tv_and_entertainment": "tv_entertainment", "football": "football_match"}


def iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def slug(text: str) -> str:
    return "-".join("".join(char if char.isalnum() else " " for char in text.lower()).split())


@dataclass(frozen=True, slots=True)
class Event:
    id: str
    name: str
    topic: str
    parent_id: str | None
    full_slug: str
    question: Question | None
    hidden: bool = False

    @property
    def is_leaf(self) -> bool:
        return self.question is not None


@dataclass(frozen=True, slots=True)
class Contract:
    id: str
    market_id: str
    name: str
    index: int


@dataclass(frozen=True, slots=True)
class Market:
    id: str
    event_id: str
    name: str
    question: Question
    contracts: tuple[Contract, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """The truth about one contract at one moment; prices are probabilities. None: there is none."""

    market_id: str
    contract_id: str
    outcome: str
    status: str
    bid: Decimal | None
    ask: Decimal | None
    last_price: Decimal | None
    payout: Decimal | None


class SmarketsWorld:
    """All objects, each as of any moment."""

    def __init__(self, questions: Sequence[Question], ends_at: int, seed: int = 7) -> None:
        self.seed = seed
        self.ends_at = ends_at
        self.events: list[Event] = []
        self.markets: list[Market] = []
        roots: dict[str, Event] = {}
        for topic in sorted({question.topic for question in questions}):
            roots[topic] = self._add_event(topic.replace("_", " ").title(), topic, None, f"/{topic}", None)
        places: dict[tuple[str, str], Event] = {}
        for question in questions:
            root, name = roots[question.topic], question.place
            place = places.get((question.topic, name))
            if place is None:
                place = self._add_event(name, question.topic, root, f"{root.full_slug}/{slug(name)}", None)
                places[(question.topic, name)] = place
            leaf = self._add_event(
                question.event, question.topic, place, f"{place.full_slug}/{slug(question.event)}", question
            )
            self._add_market(leaf, question)
        self.market_by_id = {market.id: market for market in self.markets}
        self.markets_by_event = {market.event_id: [market] for market in self.markets}

    def _add_event(
        self, name: str, topic: str, parent: Event | None, full_slug: str, question: Question | None
    ) -> Event:
        # Ids of different lengths: they are texts of digits, and 9 comes before 10.
        event = Event(
            id=str(95 + 7 * len(self.events)),
            name=name,
            topic=topic,
            parent_id=parent.id if parent else None,
            full_slug=full_slug,
            question=question,
        )
        self.events.append(event)
        return event

    def _add_market(self, event: Event, question: Question) -> None:
        market_id = str(144_500_000 + len(self.markets) * 13)
        first = 403_538_000 + sum(len(market.contracts) for market in self.markets) * 3
        contracts = tuple(
            Contract(str(first + 3 * index), market_id, name, index) for index, name in enumerate(question.outcomes)
        )
        self.markets.append(Market(market_id, event.id, question.title, question, contracts))

    # -- states

    def exists(self, event: Event, now: int) -> bool:
        return event.question is None or now >= event.question.opens_at - DAY

    def event_state(self, event: Event, now: int) -> str:
        question = event.question
        if question is None:
            return "upcoming"
        if now >= question.decided_at:
            return "cancelled" if question.ending == "void" else "settled"
        if now >= question.closes_at:
            return "ended"
        return "new" if now < question.opens_at else "upcoming"

    def market_state(self, market: Market, now: int) -> str:
        question = market.question
        if now >= question.decided_at:
            return "voided" if question.ending == "void" else "settled"
        if now >= question.closes_at or self._is_halted(question, now):
            return "halted"
        return "new" if now < question.opens_at else "open"

    def _is_halted(self, question: Question, now: int) -> bool:
        """One hour in fifty trading rests, whatever happened."""
        return number(self.seed, question.key, "halted", now // HOUR) % 50 == 0

    def contract_state(self, market: Market, contract: Contract, now: int) -> str:
        question = market.question
        if now < question.decided_at:
            return self.market_state(market, now)
        if question.ending == "void":
            return "voided"
        if contract.index not in question.winning:
            return "loser"
        return "deadheat" if question.ending == "dead_heat" else "winner"

    # -- prices

    def levels(
        self, market: Market, contract: Contract, now: int
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Bids and offers as (hundredths of a percent, quantity), without the ladder's ends. The best come first."""
        question = market.question
        if self.market_state(market, now) not in ("open", "live"):
            return [], []
        chance = chances(question, now)[contract.index]
        draw = number(self.seed, contract.id, now // HOUR)
        bids, offers = [], []
        for depth in range(1 + draw % 3):
            gap = 60 + draw % 140 + depth * 90
            quantity = 10_000 * (50 + (draw >> (8 * depth)) % 4_000)
            if chance - gap > 1:
                bids.append((chance - gap, quantity))
            if chance + gap < 9_999:
                offers.append((chance + gap, quantity + 700))
        # One book in nine has one side only, one in thirty nothing at all.
        if draw % 9 == 0:
            offers = []
        if draw % 9 == 1:
            bids = []
        return ([], []) if draw % 30 == 0 else (bids, offers)

    def book(self, market: Market, contract: Contract, now: int) -> Json | None:
        """The book as it is sent: levels in no order, an empty side sometimes shown by the ladder's end. None: a
        contract without any price is absent."""
        bids, offers = self.levels(market, contract, now)
        if not bids and not offers:
            return None
        low, high = LADDER_ENDS
        sent_bids = [{"price": price, "quantity": quantity} for price, quantity in reversed(bids)]
        sent_offers = [{"price": price, "quantity": quantity} for price, quantity in reversed(offers)]
        if number(self.seed, contract.id, "ends") % 2:
            sent_bids.insert(0, {"price": low, "quantity": LADDER_END_QUANTITY})
            sent_offers.insert(0, {"price": high, "quantity": LADDER_END_QUANTITY})
        return {"bids": sent_bids, "offers": sent_offers}

    def last_trade(self, market: Market, contract: Contract, now: int) -> tuple[int, int] | None:
        """(hundredths of a percent, moment) of the last match; None: never matched. Every third hour brings one."""
        question = market.question
        if number(self.seed, contract.id, "untraded") % 6 == 0:
            return None
        last_open = min(now, question.closes_at - 1)
        hour = last_open // HOUR - (last_open // HOUR) % 3
        at = hour * HOUR + 600
        if at > now:
            at -= 3 * HOUR
        if at < question.opens_at:
            return None
        return chances(question, at)[contract.index], at

    def volume(self, market: Market, now: int) -> int:
        hours = max(0, min(now, market.question.closes_at) - market.question.opens_at) // HOUR
        return 37 * hours + number(market.id) % 100

    # -- the truth

    def truth(self, now: int, delay: int = 0) -> list[Quote]:
        """What a correct reader knows of every listed contract at `now`, prices being `delay` seconds old."""
        rows = []
        for market in self.markets:
            question = market.question
            if now < question.opens_at - DAY:
                continue
            for contract in market.contracts:
                bids, offers = self.levels(market, contract, now - delay)
                last = self.last_trade(market, contract, now - delay)
                rows.append(
                    Quote(
                        market_id=market.id,
                        contract_id=contract.id,
                        outcome=contract.name,
                        status=self.status(market, now),
                        bid=_probability(max(bids)[0]) if bids else None,
                        ask=_probability(min(offers)[0]) if offers else None,
                        last_price=_probability(last[0]) if last else None,
                        payout=self.payout(market, contract, now),
                    )
                )
        return rows

    def status(self, market: Market, now: int) -> str:
        """The market's status in the words of the public tables."""
        question = market.question
        if now >= question.decided_at:
            return "voided" if question.ending == "void" else "resolved"
        state = self.market_state(market, now)
        return {"new": "upcoming", "open": "open", "halted": "suspended"}[state]

    def payout(self, market: Market, contract: Contract, now: int) -> Decimal | None:
        question = market.question
        if now < question.decided_at or question.ending == "void":
            return None
        if contract.index not in question.winning:
            return Decimal(0)
        return (
            Decimal(question.winners) / Decimal(len(question.winning)) if question.ending == "dead_heat" else Decimal(1)
        )

    @cached_property
    def starts_at(self) -> int:
        return min(market.question.opens_at for market in self.markets)


def _probability(basis_points: int) -> Decimal:
    return Decimal(basis_points) / CERTAIN


def build_world(seed: int, ends_at: int, count: int = 24, days: int = 60) -> SmarketsWorld:
    """A world of `count` questions and, beyond what is asked for, three of another topic."""
    questions = build_questions(seed, count, ends_at, days)
    strangers = build_questions(seed + 1, 3, ends_at, days)
    football = tuple(
        Question(**{name: getattr(question, name) for name in Question.__slots__} | {"topic": "football"})
        for question in strangers
    )
    return SmarketsWorld((*questions, *football), ends_at, seed)
