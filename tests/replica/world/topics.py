"""What events are about: tags, true category, wording."""

from __future__ import annotations

from dataclasses import dataclass

YES_NO = ("Yes", "No")


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of event. `category` is written by hand: the truth that `tags` must lead to.

    `question` takes {n} (a number) and, in families, {name} (one of `names`).
    """

    category: str
    tags: tuple[str, ...]
    question: str
    outcomes: tuple[str, ...] = YES_NO
    names: tuple[str, ...] = ()
    family_title: str = ""


#: Tag lists are as mixed as the venue's: parents after children, several categories at once,
#: housekeeping in between, sometimes only a child, an unknown tag, or none at all.
SINGLES: tuple[Topic, ...] = (
    Topic("Sports", ("sports", "nba", "games"), "Lakers vs. Celtics, game {n}", ("Lakers", "Celtics")),
    Topic("Politics", ("politics",), "Will bill {n} pass the Senate?"),
    Topic("Crypto", ("bitcoin", "hide-from-new", "crypto"), "Bitcoin above ${n}k on the last day?"),
    Topic("Elections", ("politics", "all", "elections"), "Will the incumbent win district {n}?"),
    Topic("Tech", ("ai", "tech"), "Best AI model at checkpoint {n} from a new lab?"),
    Topic("Geopolitics", ("world", "politics", "geopolitics"), "Ceasefire in round {n}?"),
    Topic("Economy", ("economic-policy", "fed", "politics", "economy", "fomc"), "Rate cut number {n}?"),
    Topic("Finance", ("stocks", "finance"), "Index closes above {n}?"),
    Topic("Earnings", ("finance", "tech", "earnings"), "Does company {n} beat its estimate?"),
    Topic("Mentions", ("politics", "mention-markets"), 'Will the speaker say "tariff" {n} times?'),
    Topic("Culture", ("pop-culture",), "Album {n} of the year announced?"),
    Topic("World", ("world", "hide-from-new"), "Will the summit number {n} take place?"),
    Topic("Weather", ("weather", "recurring"), "More than {n} mm of rain this week?"),
    Topic("Esports", ("sports", "games", "esports"), "Fnatic vs. G2, map {n}", ("Fnatic", "G2")),
    Topic("Uncategorized", ("unfiled-curiosities", "hide-from-new"), "Will jar {n} hold more beans?"),
    Topic("Sports", ("nba",), "Knicks vs. Heat, game {n}", ("Knicks", "Heat")),
    Topic("Tech", ("culture", "google-search", "tech", "best-of-2025"), "Search rank below {n}?"),
    Topic("Crypto", ("finance", "economy", "crypto", "stocks"), "Treasury buys {n} more coins?"),
    Topic("Sports", ("EPL", "soccer", "games"), "Arsenal wins match {n}?"),
    Topic("Uncategorized", (), "Will question {n} ever be tagged?"),
    Topic("Elections", ("global-elections",), "Turnout above {n} percent?"),
    Topic("Finance", ("politics", "finance"), "Shutdown moves bond {n}?"),
    Topic("Culture", ("culture", "world"), "Film {n} opens at number one?"),
    Topic("Sports", ("ufc", "sports"), "Fight {n} goes the distance?"),
    Topic("Mentions", ("crypto", "earnings", "mention-markets"), 'Call {n}: is "bitcoin" said?'),
    Topic("Weather", ("world", "weather"), "Named storm number {n} by Friday?"),
    Topic("Economy", ("fed-rates",), "Dot plot shows {n} cuts?"),
    Topic("Politics", ("congress", "politics", "tech"), "Hearing {n} on AI this month?"),
    Topic("Sports", ("tennis", "games", "sports"), "Set {n}: Sinner or Alcaraz", ("Sinner", "Alcaraz")),
    Topic("Tech", ("ai",), "Benchmark {n} saturated?"),
    Topic("Crypto", ("ethereum",), "Ether above ${n}00?"),
    Topic("Geopolitics", ("geopolitics",), "Border {n} reopens?"),
    Topic("Sports", ("nhl", "hide-from-new"), "Rangers vs. Bruins, game {n}", ("Rangers", "Bruins")),
    Topic("Earnings", ("earnings",), "Guidance raised in quarter {n}?"),
    Topic("Uncategorized", ("earn-4", "best-of-2025"), "Does holding prize {n} get paid?"),
)

_PEOPLE = (
    "Ada Lovelace", "Grace O'Malley", "Zoë Åkesson", "J. \"Doc\" Brown", "李小龍", "Noor & Sons",
    "Émile Zola", "Søren K.", "Ana-María", "Tom <Tommy> Lee", "Ivan IV", "Other",
)  # fmt: skip
_BANDS = (
    "below 60", "60-61", "62-63", "64-65", "66-67", "68-69", "70-71", "72-73", "74-75", "76-77",
    "78-79", "80 or more",
)  # fmt: skip
_TEAMS = (
    "Arsenal", "Inter", "Bayern", "PSG", "Ajax", "Porto", "Celtic", "Lille", "Benfica", "Napoli",
    "Sevilla", "Bruges",
)  # fmt: skip

#: Negative-risk events: many markets, at most one of which ends Yes.
FAMILIES: tuple[Topic, ...] = (
    Topic(
        "Elections",
        ("politics", "world-elections", "hide-from-new", "elections"),
        "Will {name} win race {n}?",
        names=_PEOPLE,
        family_title="Winner of race {n}",
    ),
    Topic(
        "Weather",
        ("weather", "recurring", "hide-from-new"),
        "Highest temperature {name} °F on day {n}?",
        names=_BANDS,
        family_title="Highest temperature on day {n}",
    ),
    Topic(
        "Sports",
        ("ucl", "soccer", "sports"),
        "Will {name} win cup {n}?",
        names=_TEAMS,
        family_title="Winner of cup {n}",
    ),
    Topic(
        "Culture",
        ("pop-culture", "culture", "best-of-2025"),
        "Will {name} be most searched in {n}?",
        names=_PEOPLE,
        family_title="Most searched in {n}",
    ),
    Topic(
        "Economy",
        ("fed", "fomc", "economy", "politics"),
        "Rates {name} basis points at meeting {n}?",
        names=_BANDS,
        family_title="Rates at meeting {n}",
    ),
    Topic(
        "Politics",
        ("politics", "congress"),
        "Will {name} chair committee {n}?",
        names=_PEOPLE,
        family_title="Chair of committee {n}",
    ),
)

_UP_DOWN = ("Up", "Down")

#: Up-or-down price games by length in seconds.
PRICE_GAMES: dict[int, tuple[Topic, ...]] = {
    300: (
        Topic(
            "Crypto",
            ("crypto", "bitcoin", "up-or-down", "recurring", "hide-from-new", "5m"),
            "Bitcoin Up or Down - 5 minutes, round {n}",
            _UP_DOWN,
        ),
        Topic(
            "Crypto",
            ("5m", "up-or-down", "ethereum"),
            "Ethereum Up or Down - 5 minutes, round {n}",
            _UP_DOWN,
        ),
    ),
    900: (
        Topic(
            "Crypto",
            ("up-or-down", "crypto-prices", "15m", "hide-from-new", "ethereum", "crypto"),
            "Ethereum Up or Down - 15 minutes, round {n}",
            _UP_DOWN,
        ),
        Topic(
            "Crypto",
            ("bitcoin", "15m", "games", "up-or-down"),
            "Bitcoin Up or Down - 15 minutes, round {n}",
            _UP_DOWN,
        ),
    ),
}

#: Markets from before the venue named categories by tags carry a category of their own.
OLD: tuple[tuple[Topic, str], ...] = (
    (
        Topic("Politics", ("politics",), "Will the midterm count pass {n} seats?"),
        "US-current-affairs",
    ),
    (Topic("Crypto", ("crypto",), "Will {n} thousand merge before the fork?"), "Crypto"),
)

#: Titles that break careless code. They replace the question of a few markets.
HOSTILE_TITLES: tuple[str, ...] = (
    "Will \"quotes\", 'apostrophes' & <b>tags</b> survive?",
    "'); DROP TABLE trades; -- ?",
    "{{ 7 * 7 }} {% raw %} %s %(x)s ${HOME}?",
    "Line one\nline two\twith a tab, a back\\slash and 🐋 مرحبا 你好?",
)
