"""The wallets: who they are, how they trade, and what they call themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Literal

from tests.replica.model import Wallet
from tests.replica.world.tags import PRIORITY

Style = Literal[
    "market_maker",
    "skilled",
    "favourite",
    "arbitrageur",
    "zero_edge",
    "scalper",
    "one_hit",
    "loser",
    "receiver",
]

#: The first wallets of every world, so that even a tiny one has every style. Twelve cover them all.
OPENING: tuple[Style, ...] = (
    "market_maker", "skilled", "zero_edge", "favourite", "scalper", "arbitrageur", "loser",
    "receiver", "one_hit", "zero_edge", "market_maker", "skilled",
)  # fmt: skip

#: Shares of the styles beyond the opening. Arbitrageurs and receivers, whose ledgers trades alone
#: cannot explain, stay rare.
SHARES: dict[Style, int] = {
    "zero_edge": 34,
    "favourite": 16,
    "loser": 15,
    "skilled": 13,
    "scalper": 8,
    "one_hit": 7,
    "market_maker": 4,
    "arbitrageur": 3,
    "receiver": 2,
}

#: Names that break careless code: quoting, markup, templates, scripts, a NUL, and sheer length.
HOSTILE_NAMES: tuple[str, ...] = (
    "Robert'); DROP TABLE trades;--",
    '<script>alert("x")</script>',
    'back\\slash "quote"\nnewline\ttab',
    "🐋💸 مرحبا 你好 ñandú",
    "nul\x00byte",
    "long " + "loooong " * 400,
    "{{ config.items() }} %s ${HOME}",
    "",
)

_FIRST = ("Limping", "Scary", "Ultimate", "Quiet", "Brisk", "Gilded", "Stoic", "Errant")
_SECOND = ("Semicolon", "Barrel", "Underpass", "Falcon", "Ledger", "Turnip", "Quorum", "Sextant")


@dataclass(slots=True)
class Persona:
    """A wallet's hidden nature. `edge` is how much oftener than chance it takes the better side."""

    index: int
    address: str
    style: Style
    activity: float
    typical_shares: float
    edge: float
    home: frozenset[str]
    has_hit: bool = False


@dataclass(slots=True)
class Cast:
    personas: list[Persona]
    wallets: dict[str, Wallet]
    makers: list[int]
    makers_cum: list[float]
    arbitrageurs: list[int]
    veterans: list[int]
    _taker_cum: dict[str, list[float]] = field(default_factory=dict)

    def takers(self, rng: Random, category: str, wanted: int) -> list[int]:
        """Up to `wanted` different wallets that would take part in a market of this category."""
        cum = self._taker_cum.get(category)
        if cum is None:
            cum = list(accumulate(_appetite(persona, category) for persona in self.personas))
            self._taker_cum[category] = cum
        drawn = rng.choices(range(len(self.personas)), cum_weights=cum, k=3 * wanted)
        return list(dict.fromkeys(drawn))[:wanted]


def _appetite(persona: Persona, category: str) -> float:
    if persona.style == "market_maker":
        # Makers wait for others; they seldom take.
        return 0.05
    return persona.activity * (3.0 if category in persona.home else 1.0)


def build_cast(rng: Random, count: int) -> Cast:
    styles = list(OPENING[:count])
    styles += rng.choices(list(SHARES), weights=list(SHARES.values()), k=count - len(styles))
    personas = [_persona(rng, index, style) for index, style in enumerate(styles)]
    wallets = {p.address: _wallet(rng, p, count) for p in personas}
    makers = [p.index for p in personas if p.style == "market_maker"] or [0]
    # The first maker is in so many matches that its history runs over several pages; in large
    # worlds the load spreads, so that it does not outgrow everything else.
    steepness = 2.0 if count <= 100 else 0.8
    return Cast(
        personas=personas,
        wallets=wallets,
        makers=makers,
        makers_cum=list(accumulate((rank + 1) ** -steepness for rank in range(len(makers)))),
        arbitrageurs=[p.index for p in personas if p.style == "arbitrageur"],
        veterans=list(range(min(4, count))),
    )


def _persona(rng: Random, index: int, style: Style) -> Persona:
    activity = {"scalper": 2.5, "one_hit": 0.35, "arbitrageur": 0.6, "receiver": 0.6}.get(style, 1.0)
    edge = {"skilled": 0.3, "loser": -0.2}.get(style, 0.0)
    return Persona(
        index=index,
        address=f"0x{rng.getrandbits(160):040x}",
        style=style,
        activity=activity * rng.lognormvariate(0.0, 0.7),
        typical_shares=rng.lognormvariate(4.0, 0.9),
        edge=edge,
        home=frozenset(rng.sample(PRIORITY, k=rng.choice((1, 2, 3)))),
    )


def _wallet(rng: Random, persona: Persona, count: int) -> Wallet:
    name = f"{rng.choice(_FIRST)}-{rng.choice(_SECOND)}-{persona.index}"
    # From the third wallet on; a tiny world keeps at least as many ordinary names.
    hostile = persona.index - 2
    if 0 <= hostile < min(len(HOSTILE_NAMES), count // 2):
        name = HOSTILE_NAMES[hostile]
    # The board knows the loud, not the good.
    chance = {"market_maker": 0.9, "one_hit": 0.7, "skilled": 0.6, "loser": 0.1}
    on_board = persona.index % 5 == 1 or rng.random() < chance.get(persona.style, 0.3)
    return Wallet(persona.address, name, persona.style, on_board)
