"""Events and markets: when they live, how they end, and what the crowd believes meanwhile."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

from tests.replica.model import Ending, Event, Market
from tests.replica.world import topics
from tests.replica.world.tags import FEE_RATES, OTHER_FEE_RATE, TAGS
from tests.replica.world.topics import Topic

MINUTE, HOUR, DAY = 60, 3600, 86400
#: Steps of a market's path of belief.
STEPS = 24

#: Blocks that come first, so that every world has as many kinds as fit, the rarest needs first.
ESSENTIAL: tuple[str, ...] = (
    "single", "family", "short5_last", "short15_last", "fifty_fifty", "void", "open", "unlisted",
    "fractional", "never", "old", "combo", "single", "proposed_last", "upcoming", "old_never",
    "short5", "combo",
)  # fmt: skip

#: Blocks beyond the essential ones, by how often they come. A family is five to twelve markets.
BULK: dict[str, int] = {
    "single": 400,
    "short5": 160,
    "short15": 90,
    "open": 90,
    "family": 28,
    "fifty_fifty": 25,
    "fractional": 25,
    "void": 20,
    "never": 20,
    "unlisted": 10,
    "combo": 4,
}

#: How single markets of these kinds end; the others end binary.
_ENDINGS: dict[str, Ending] = {
    "fifty_fifty": "fifty_fifty",
    "fractional": "fractional",
    "void": "void",
    "never": "never",
    "open": "open",
    "upcoming": "open",
}

_FRACTIONS = (Fraction(3, 10), Fraction(1, 4), Fraction(5, 8), Fraction(9, 10), Fraction(17, 200))


@dataclass(slots=True)
class Calendar:
    starts_at: int
    ends_at: int
    fees_begin_at: int

    @property
    def span(self) -> int:
        return self.ends_at - self.starts_at


@dataclass(slots=True)
class Leg:
    """A market before it has ids."""

    question: str
    outcomes: tuple[str, ...]
    opens_at: int
    closes_at: int
    resolved_at: int | None
    ending: Ending
    payouts: tuple[Fraction, ...] | None
    prior: float
    weight: float


@dataclass(slots=True)
class Block:
    """An event before it has ids."""

    topic: Topic
    title: str
    created_at: int
    legs: list[Leg]
    listed: bool = True
    combo: bool = False
    legacy_category: str | None = None


@dataclass(slots=True)
class Plan:
    """A market with what only the story knows: belief in outcome 0 over its life, its weight."""

    market: Market
    category: str
    path: list[float]
    weight: float
    regulars: list[int] = field(default_factory=list)


def build_venue(
    rng: Random, calendar: Calendar, markets: int
) -> tuple[dict[str, Event], dict[str, Market], list[Plan]]:
    blocks = _outline(rng, calendar, markets)
    # Ids grow with time, as the venue's do.
    blocks.sort(key=lambda block: block.created_at)
    _plant_hostile_titles(blocks)
    events: dict[str, Event] = {}
    by_condition: dict[str, Market] = {}
    plans: list[Plan] = []
    for number, block in enumerate(blocks):
        event_id = str(16_000 + number)
        legs = [
            _market(rng, calendar, block, leg, event_id, 500_000 + len(by_condition) + offset)
            for offset, leg in enumerate(block.legs)
        ]
        by_condition.update({market.condition_id: market for market in legs})
        events[event_id] = _event(block, event_id, legs)
        plans += [
            Plan(market, block.topic.category, _path(rng, leg), leg.weight)
            for market, leg in zip(legs, block.legs, strict=True)
        ]
    return events, by_condition, plans


# ---- which blocks ----


def _outline(rng: Random, calendar: Calendar, markets: int) -> list[Block]:
    blocks: list[Block] = []
    left = markets
    essential = list(ESSENTIAL)
    while left > 0:
        kind = essential.pop(0) if essential else rng.choices(list(BULK), list(BULK.values()))[0]
        size = 1
        if kind == "family":
            # The first family is small enough for a tiny world.
            size = 5 if essential else rng.randint(5, 12)
            if size > left:
                continue
        blocks.append(_block(rng, calendar, kind, size, number=len(blocks) + 1))
        left -= size
    return blocks


def _block(rng: Random, calendar: Calendar, kind: str, size: int, number: int) -> Block:
    if kind == "family":
        return _family(rng, calendar, size, number)
    if kind.startswith("short"):
        return _price_game(rng, calendar, kind, number)
    if kind.startswith("old"):
        return _old(rng, calendar, kind, number)
    return _single(rng, calendar, kind, number)


def _single(rng: Random, calendar: Calendar, kind: str, number: int) -> Block:
    topic = topics.SINGLES[number % len(topics.SINGLES)]
    opens_at, closes_at = _lifetime(rng, calendar)
    ending = _ENDINGS.get(kind, "binary")
    if ending == "open":
        closes_at = calendar.ends_at + rng.randint(DAY, 60 * DAY)
        opens_at = calendar.ends_at - int(min(60 * DAY, calendar.span) * rng.uniform(0.1, 0.8))
        if kind == "upcoming":
            opens_at = calendar.ends_at + 2 * HOUR
    elif kind == "proposed_last":
        closes_at = calendar.ends_at - 2 * HOUR
        opens_at = closes_at - min(4 * DAY, calendar.span // 2)
    resolved_at = closes_at + _oracle_delay(rng)
    if kind == "proposed_last":
        resolved_at = calendar.ends_at + HOUR
    leg = _leg(rng, topic.question.format(n=number), topic, opens_at, closes_at, resolved_at, ending)
    # Some markets nobody trades.
    if kind == "upcoming" or (kind == "single" and number > len(ESSENTIAL) and rng.random() < 0.05):
        leg.weight = 0.0
    created_at = max(calendar.starts_at, min(opens_at, calendar.ends_at) - rng.randint(600, 2 * DAY))
    block = Block(topic, leg.question, created_at, [leg])
    block.combo = kind == "combo"
    block.listed = kind not in ("unlisted", "combo")
    if block.combo:
        block.title = leg.question = f"{leg.question} AND {topics.SINGLES[number % 7].question}"
    return block


def _family(rng: Random, calendar: Calendar, size: int, number: int) -> Block:
    """A negative-risk event: at most one market ends Yes; some are settled No before the others."""
    topic = topics.FAMILIES[number % len(topics.FAMILIES)]
    opens_at, closes_at = _lifetime(rng, calendar)
    still_open = number > len(ESSENTIAL) and rng.random() < 0.1
    if still_open:
        opens_at, closes_at = calendar.ends_at - (closes_at - opens_at), calendar.ends_at + 9 * DAY
    resolved_at = closes_at + _oracle_delay(rng)
    priors = [rng.expovariate(1.0) ** 1.5 for _ in range(size)]
    # A twelfth of the belief stays with "none of these".
    scale = sum(priors) * 12 / 11
    priors = [prior / scale for prior in priors]
    winner = rng.choices(range(size + 1), weights=[*priors, 1 / 12])[0]
    legs = []
    for position in range(size):
        question = topic.question.format(name=topic.names[position], n=number)
        ends, settles = closes_at, resolved_at
        if position != winner and not still_open and rng.random() < 0.25:
            ends = opens_at + int((closes_at - opens_at) * rng.uniform(0.4, 0.9))
            settles = ends + _oracle_delay(rng)
        leg = _leg(
            rng, question, topic, opens_at, ends, settles, "open" if still_open else "binary",
            prior=min(0.95, max(0.01, priors[position])), first_wins=position == winner,
        )  # fmt: skip
        leg.weight *= 1.5 / (position + 1) ** 0.7
        legs.append(leg)
    created_at = max(calendar.starts_at, opens_at - rng.randint(HOUR, DAY))
    return Block(topic, topic.family_title.format(n=number), created_at, legs)


def _price_game(rng: Random, calendar: Calendar, kind: str, number: int) -> Block:
    """Five or fifteen minutes of trading, settled a minute or two later without the oracle."""
    length = 300 if kind.startswith("short5") else 900
    topic = topics.PRICE_GAMES[length][number % 2]
    if kind.endswith("_last"):
        ago = 2 * length + 120
    elif rng.random() < 0.4:
        ago = rng.randint(2 * length, min(2 * DAY, calendar.span // 2))
    else:
        ago = rng.randint(2 * length, int(calendar.span * 0.9))
    opens_at = (calendar.ends_at - ago) // length * length
    closes_at = opens_at + length
    resolved_at = closes_at + rng.randint(60, 170)
    prior = rng.uniform(0.42, 0.58)
    question = topic.question.format(n=number)
    leg = _leg(rng, question, topic, opens_at, closes_at, resolved_at, "binary", prior=prior)
    leg.weight *= 0.5
    return Block(topic, question, opens_at - length, [leg])


def _old(rng: Random, calendar: Calendar, kind: str, number: int) -> Block:
    """Traded more than three years before the end: beyond the venue's default floor."""
    never = kind == "old_never"
    topic, legacy = topics.OLD[int(never)]
    opens_at = calendar.ends_at - int(3.6 * 365 * DAY)
    closes_at = opens_at + 40 * DAY
    leg = _leg(
        rng, topic.question.format(n=number), topic, opens_at, closes_at, closes_at + 2 * DAY,
        "never" if never else "binary",
    )  # fmt: skip
    leg.weight = 1.2
    return Block(topic, leg.question, opens_at - DAY, [leg], legacy_category=legacy)


# ---- times, endings, beliefs ----


def _lifetime(rng: Random, calendar: Calendar) -> tuple[int, int]:
    """(opens_at, closes_at) inside the story, denser towards its end."""
    longest = int(calendar.span * 0.8)
    length = min(longest, max(6 * HOUR, int(rng.lognormvariate(math.log(6 * DAY), 1.0))), 75 * DAY)
    length = min(length, longest)
    before_end = int((calendar.span - length) * rng.random() ** 1.7)
    closes_at = calendar.ends_at - before_end
    return closes_at - length, closes_at


def _oracle_delay(rng: Random) -> int:
    return min(4 * DAY, max(2 * HOUR, int(rng.lognormvariate(math.log(12 * HOUR), 0.8))))


def _leg(
    rng: Random,
    question: str,
    topic: Topic,
    opens_at: int,
    closes_at: int,
    resolved_at: int,
    ending: Ending,
    prior: float | None = None,
    first_wins: bool | None = None,
) -> Leg:
    chance = rng.uniform(0.08, 0.92) if prior is None else prior
    wins = rng.random() < chance if first_wins is None else first_wins
    payouts: tuple[Fraction, ...] | None = None
    if ending == "binary":
        payouts = (Fraction(int(wins)), Fraction(int(not wins)))
    elif ending == "fifty_fifty":
        payouts = (Fraction(1, 2), Fraction(1, 2))
    elif ending == "fractional":
        first = rng.choice(_FRACTIONS)
        payouts = (first, 1 - first)
    return Leg(
        question=question,
        outcomes=topic.outcomes,
        opens_at=opens_at,
        closes_at=closes_at,
        resolved_at=None if ending in ("never", "open") else resolved_at,
        ending=ending,
        payouts=payouts,
        prior=chance,
        weight=rng.lognormvariate(0.0, 0.9),
    )


def _path(rng: Random, leg: Leg) -> list[float]:
    """Belief in outcome 0 at STEPS + 1 equally spaced moments.

    Where the market pays 1 or 0, evidence arrives as a drifting random walk and belief is its
    posterior: a fair price at each moment, so buying at it earns nothing on average. Where it pays
    a fraction, belief drifts to that fraction.
    """
    if leg.payouts is not None and leg.payouts[0] not in (0, 1):
        goal = float(leg.payouts[0])
        steps = (leg.prior + (goal - leg.prior) * 0.9 * i / STEPS for i in range(STEPS + 1))
        return [min(0.99, max(0.01, step + rng.gauss(0, 0.03))) for step in steps]
    wins = leg.payouts[0] == 1 if leg.payouts is not None else rng.random() < leg.prior
    strength = math.sqrt(rng.uniform(0.5, 3.5))
    log_odds = math.log(leg.prior / (1 - leg.prior))
    drift = strength / STEPS if wins else -strength / STEPS
    path, evidence = [], 0.0
    for _ in range(STEPS + 1):
        belief = 1 / (1 + math.exp(-(log_odds + 2 * strength * evidence)))
        path.append(min(0.995, max(0.005, belief)))
        evidence += drift + rng.gauss(0, 1) / math.sqrt(STEPS)
    return path


# ---- ids ----


def _plant_hostile_titles(blocks: list[Block]) -> None:
    """The last ordinary single markets get them, so that tiny worlds keep readable titles too."""
    singles = [b for b in blocks if len(b.legs) == 1 and b.listed and b.topic in topics.SINGLES]
    wanted = min(len(topics.HOSTILE_TITLES), len(singles) // 2)
    for block, title in zip(singles[::-2], topics.HOSTILE_TITLES[:wanted], strict=False):
        block.title = block.legs[0].question = title


def _slug(title: str, unique: str) -> str:
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in title.lower())
    return f"{'-'.join(part for part in kept.split('-') if part)[:60]}-{unique}".lstrip("-")


def _token_id(rng: Random) -> str:
    """uint256 in decimal: 77 or 78 digits, as all but few of them have."""
    if rng.random() < 0.3:
        return str(rng.randrange(10**77, 2**256))
    return str(rng.randrange(10**76, 10**77))


def _market(rng: Random, calendar: Calendar, block: Block, leg: Leg, event_id: str, number: int) -> Market:
    category = block.topic.category
    charged = block.created_at >= calendar.fees_begin_at
    bits = 248 if block.combo else 256
    return Market(
        id=str(number),
        condition_id=f"0x{rng.getrandbits(bits):0{bits // 4}x}",
        slug=_slug(leg.question, str(number)),
        question=leg.question,
        event_id=event_id,
        outcomes=leg.outcomes,
        token_ids=(_token_id(rng), _token_id(rng)),
        created_at=block.created_at,
        opens_at=leg.opens_at,
        closes_at=leg.closes_at,
        resolved_at=leg.resolved_at,
        ending=leg.ending,
        payouts=leg.payouts,
        fee_rate=FEE_RATES.get(category, OTHER_FEE_RATE) if charged else Fraction(0),
        negative_risk=len(block.legs) > 1,
        legacy_category=block.legacy_category,
        listed=block.listed,
    )


def _event(block: Block, event_id: str, markets: list[Market]) -> Event:
    return Event(
        id=event_id,
        slug=_slug(block.title, event_id),
        title=block.title,
        tags=tuple(TAGS[slug] for slug in block.topic.tags),
        category=block.topic.category,
        negative_risk=len(markets) > 1,
        created_at=block.created_at,
        starts_at=min(market.opens_at for market in markets),
        ends_at=max(market.closes_at for market in markets),
        condition_ids=tuple(market.condition_id for market in markets),
    )
