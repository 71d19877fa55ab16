"""What Betfair lists: event types, events, markets with runners, a book at every hour; with the truth about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from tests.replica.venues.questions import CERTAIN, HOUR, Question, build_questions, chances, number

#: Odds in hundredths: (below, step). https://…/Betfair+Price+Increments
LADDER = (
    (200, 1), (300, 2), (400, 5), (600, 10), (1_000, 20), (2_000, 50), (3_000, 100), (5_000, 200), (10_000, 500),
    (100_000, 1_000),
)  # fmt: skip
LEAST_ODDS, MOST_ODDS = 101, 100_000
EVENT_TYPES = {"politics": ("2378961", "Politics"), "current_affairs": ("10", "Special Bets"),
               "tv_and_entertainment": ("10", "Special Bets"), "football": ("1", "Soccer")}  # fmt: skip


def iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def tick_at_most(odds: int) -> int:
    """The highest valid odds that are not above `odds`, in hundredths."""
    odds = min(max(odds, LEAST_ODDS), MOST_ODDS)
    step = next((step for below, step in LADDER if odds < below), 1_000)
    return odds - odds % step if odds >= 200 else odds


def tick_at_least(odds: int) -> int:
    low = tick_at_most(odds)
    if low >= odds:
        return low
    step = next((step for below, step in LADDER if low < below), 1_000)
    return min(low + step, MOST_ODDS)


def probability(odds: int) -> Decimal:
    """1 / odds to nine decimals, half up; `odds` in hundredths."""
    return (Decimal(100) / Decimal(odds)).quantize(Decimal("1e-9"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Runner:
    selection_id: int
    name: str
    handicap: Decimal
    index: int
    #: Withdrawn from that moment on.
    removed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Market:
    id: str
    event_id: str
    event_name: str
    name: str
    question: Question
    betting_type: str
    runners: tuple[Runner, ...]

    @property
    def type(self) -> tuple[str, str]:
        return EVENT_TYPES[self.question.topic]


@dataclass(frozen=True, slots=True)
class Book:
    """Best first; (odds in hundredths, pounds)."""

    to_back: list[tuple[int, int]]
    to_lay: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Quote:
    """The truth about one runner at one moment; prices are probabilities. None: there is none."""

    market_id: str
    selection_id: int
    handicap: Decimal
    outcome: str
    status: str
    bid: Decimal | None
    ask: Decimal | None
    last_price: Decimal | None
    payout: Decimal | None


class BetfairWorld:
    """All objects, each as of any moment."""

    def __init__(self, questions: Sequence[Question], ends_at: int, seed: int = 7) -> None:
        self.seed = seed
        self.ends_at = ends_at
        self.markets: list[Market] = []
        for place, question in enumerate(questions):
            # The first is a line: its prices are positions on a scale and no odds.
            self._add(place, question, "LINE" if place == 2 else "ODDS")
        self.by_id = {market.id: market for market in self.markets}
        self.starts_at = min(market.question.opens_at for market in self.markets)

    def _add(self, place: int, question: Question, betting_type: str) -> None:
        first = 9_000_000 + place * 100
        names = question.outcomes
        handicap = Decimal("0")
        runners = [Runner(first + index, name, handicap, index) for index, name in enumerate(names)]
        if place % 4 == 1:
            gone = question.opens_at + (question.closes_at - question.opens_at) // 3
            runners.append(Runner(first + 90, "Somebody Who Withdrew", handicap, len(names), gone))
        if betting_type == "LINE":
            runners = [Runner(first, f"{question.place} seats", handicap, 0)]
        self.markets.append(
            Market(
                id=f"1.{250_000_000 + place * 10}",
                event_id=str(35_000_000 + place),
                event_name=question.event,
                name=question.title,
                question=question,
                betting_type=betting_type,
                runners=tuple(runners),
            )
        )

    # -- states

    def state(self, market: Market, now: int) -> str:
        question = market.question
        if now >= question.decided_at:
            return "CLOSED"
        if now < question.opens_at:
            return "INACTIVE"
        rests = number(self.seed, market.id, "suspended", now // HOUR) % 40 == 0
        return "SUSPENDED" if now >= question.closes_at or rests else "OPEN"

    def base_rate(self, market: Market) -> float:
        """What the venue keeps of a profit, in percent."""
        return (5, 2.5, 7)[number(self.seed, market.id, "rate") % 3]

    def is_listed(self, market: Market, now: int) -> bool:
        """Closed markets leave the catalogue; their books can still be asked for."""
        return market.question.opens_at - 24 * HOUR <= now < market.question.decided_at

    def runner_state(self, market: Market, runner: Runner, now: int) -> str:
        question = market.question
        if runner.removed_at is not None and now >= runner.removed_at:
            return "REMOVED"
        if now < question.decided_at:
            return "ACTIVE"
        if question.ending == "void":
            return "REMOVED"
        return "WINNER" if runner.index in question.winning or market.betting_type == "LINE" else "LOSER"

    # -- prices

    def book(self, market: Market, runner: Runner, now: int) -> Book:
        state = self.state(market, now)
        if state != "OPEN" or self.runner_state(market, runner, now) != "ACTIVE":
            return Book([], [])
        draw = number(self.seed, market.id, runner.selection_id, now // HOUR)
        if market.betting_type == "LINE":
            middle = 5_000 + 100 * (draw % 20)
            return Book([(middle - 150, 20)], [(middle + 150, 30)])
        chance = self.chance(market, runner, now)
        depth = 1 + draw % 3
        backs, lays = [], []
        for level in range(depth):
            gap = 40 + draw % 90 + 70 * level
            pounds = 2 + (draw >> (8 * level)) % 500
            backs.append((tick_at_most(CERTAIN * 100 // (chance + gap)), pounds))
            if chance - gap > 10:
                lays.append((tick_at_least(CERTAIN * 100 // (chance - gap) + 1), pounds + 3))
        if draw % 11 == 0:
            lays = []
        if draw % 11 == 1:
            backs = []
        return Book(_distinct(backs), _distinct(lays))

    def chance(self, market: Market, runner: Runner, at: int) -> int:
        known = chances(market.question, at)
        return known[runner.index] if runner.index < len(known) else 300

    def last_odds(self, market: Market, runner: Runner, now: int) -> int | None:
        """Odds of the last match in hundredths; None: never matched."""
        question = market.question
        if number(self.seed, runner.selection_id, "untraded") % 5 == 0:
            return None
        until = min(now, question.closes_at - 1, *([runner.removed_at] if runner.removed_at else []))
        at = until - until % (2 * HOUR)
        if at < question.opens_at:
            return None
        if market.betting_type == "LINE":
            return 5_050
        return tick_at_most(CERTAIN * 100 // self.chance(market, runner, at))

    def matched(self, market: Market, now: int) -> int:
        """Pence matched."""
        hours = max(0, min(now, market.question.closes_at) - market.question.opens_at) // HOUR
        return hours * 12_345

    # -- the truth

    def status(self, market: Market, now: int) -> str:
        """The market's status in the words of the public tables."""
        state = self.state(market, now)
        if state == "CLOSED":
            return "voided" if market.question.ending == "void" else "resolved"
        return {"INACTIVE": "upcoming", "OPEN": "open", "SUSPENDED": "suspended"}[state]

    def payout(self, market: Market, runner: Runner, now: int) -> Decimal | None:
        question = market.question
        state = self.runner_state(market, runner, now)
        if state == "LOSER":
            return Decimal(0)
        if state != "WINNER" or market.betting_type == "LINE":
            return None
        return (Decimal(question.winners) / len(question.winning)).quantize(Decimal("1e-9"), ROUND_HALF_UP)

    def truth(self, now: int) -> list[Quote]:
        """What a correct reader knows of every runner of the markets that exist at `now`."""
        rows = []
        for market in self.markets:
            if now < market.question.opens_at - 24 * HOUR:
                continue
            for runner in market.runners:
                book = self.book(market, runner, now)
                last = self.last_odds(market, runner, now)
                is_odds = market.betting_type == "ODDS"
                rows.append(
                    Quote(
                        market_id=market.id,
                        selection_id=runner.selection_id,
                        handicap=runner.handicap,
                        outcome=runner.name,
                        status=self.status(market, now),
                        bid=probability(min(book.to_lay)[0]) if book.to_lay and is_odds else None,
                        ask=probability(max(book.to_back)[0]) if book.to_back and is_odds else None,
                        last_price=probability(last) if last and is_odds else None,
                        payout=self.payout(market, runner, now),
                    )
                )
        return rows


def _distinct(levels: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """One level per price, the first that came."""
    return list({odds: (odds, pounds) for odds, pounds in reversed(levels)}.values())[::-1]


def build_world(seed: int, ends_at: int, count: int = 20, days: int = 60) -> BetfairWorld:
    """A world of `count` questions and, beyond what is asked for, three about football."""
    strangers = tuple(
        Question(**{name: getattr(question, name) for name in Question.__slots__} | {"topic": "football"})
        for question in build_questions(seed + 1, 3, ends_at, days)
    )
    return BetfairWorld((*build_questions(seed, count, ends_at, days), *strangers), ends_at, seed)
