"""Questions that several venues can ask, and how likely their answers were at any hour.

Everything is computed from a seed: the same arguments give the same questions, chances and endings on every computer.
A venue's world turns a question into its own objects and puts its own spread around the chances.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

HOUR = 3_600
DAY = 86_400
#: The sum of a question's chances: hundredths of a percent.
CERTAIN = 10_000

TOPICS = ("politics", "current_affairs", "tv_and_entertainment")
PLACES = ("Sweden", "Portugal", "Chile", "Ohio", "Bavaria", "Kenya", "Iceland", "Quebec")
SURNAMES = (
    "Andersson",
    "Ferreira",
    "Okafor",
    "Lindqvist",
    "Marchetti",
    "Novak",
    "Reyes",
    "Whitfield",
    "Tanaka",
    "Dubois",
)


@dataclass(frozen=True, slots=True)
class Question:
    """One question with outcomes that exclude each other, except that `winners` of them come true.

    `ending`: "winner", "dead_heat" (the first two winners share one place), or "void". Times are UNIX seconds; a
    question is open from `opens_at`, trading stops at `closes_at`, and the answer is known at `decided_at`.
    """

    key: str
    topic: str
    title: str
    event: str
    place: str
    outcomes: tuple[str, ...]
    winners: int
    opens_at: int
    closes_at: int
    decided_at: int
    ending: str
    winning: tuple[int, ...]


def number(*parts: object) -> int:
    """A number below 2**64 that depends on the parts alone."""
    text = "|".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8])


def build_questions(seed: int, count: int, ends_at: int, days: int = 60) -> tuple[Question, ...]:
    """`count` questions of the `days` before `ends_at`. Some are not yet open then, some are over; every way to end
    occurs among eight."""
    return tuple(_question(seed, place, ends_at, days) for place in range(count))


def _question(seed: int, place: int, ends_at: int, days: int) -> Question:
    chance = random.Random(number(seed, "question", place))
    year = datetime.fromtimestamp(ends_at, UTC).year
    region = PLACES[place % len(PLACES)]
    opens_at = ends_at - days * DAY + chance.randrange(days // 2) * DAY + chance.randrange(24) * HOUR
    # By turns: over long ago, over just now, still open, closed without an answer, not yet open.
    turn = place % 5
    if turn in (0, 1):
        decided_at = ends_at - (turn * 9 + 1) * DAY - chance.randrange(1, 20) * HOUR
        closes_at = decided_at - 6 * HOUR
    elif turn == 3:
        closes_at, decided_at = ends_at - 5 * HOUR, ends_at + 2 * DAY
    else:
        closes_at = ends_at + chance.randrange(5, 90) * DAY
        decided_at = closes_at + DAY
        if turn == 4 and place % 2:
            opens_at = ends_at + DAY // 2
    if chance.random() < 0.4:
        title = f"Will {chance.choice(SURNAMES)} be the next leader of {region}?"
        outcomes: tuple[str, ...] = ("Yes", "No")
    else:
        names = chance.sample(SURNAMES, chance.randrange(3, 6))
        title = f"Next leader of {region} after the {year} vote {place}"
        outcomes = tuple(names)
    ending = {5: "dead_heat", 6: "void"}.get(place % 10, "winner")
    if len(outcomes) == 2 and ending == "dead_heat":
        ending = "winner"
    winners = 2 if place % 7 == 3 and len(outcomes) > 3 and ending == "winner" else 1
    count = 2 if ending == "dead_heat" else winners
    return Question(
        key=f"{seed}-{place}",
        topic=TOPICS[place % len(TOPICS)],
        title=title,
        event=f"{year} {region} vote {place}",
        place=region,
        outcomes=outcomes,
        winners=winners,
        opens_at=opens_at,
        closes_at=closes_at,
        decided_at=decided_at,
        ending=ending,
        winning=tuple(sorted(chance.sample(range(len(outcomes)), count))),
    )


@cache
def chances(question: Question, at: int) -> tuple[int, ...]:
    """How likely each outcome is at that hour, in hundredths of a percent, which sum to CERTAIN x winners."""
    hour = at // HOUR
    weights = []
    for index in range(len(question.outcomes)):
        base = 200 + number(question.key, index) % 1_000
        # A slow drift and an hourly step, both whole numbers, so that no platform's float decides a price.
        drift = number(question.key, index, hour // 24) % 300
        step = number(question.key, index, hour) % 40
        weights.append(base + drift + step)
    total = CERTAIN * question.winners
    shares = [min(CERTAIN - 100, max(60, weight * total // sum(weights))) for weight in weights]
    return tuple(shares)
