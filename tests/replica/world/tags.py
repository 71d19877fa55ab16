"""Tags as the venue hangs them on events, and which category each one speaks for.

An event's category is the most specific category among its tags (`PRIORITY`); a tag that speaks for
none (housekeeping, or unknown to everybody) changes nothing.
"""

from __future__ import annotations

from fractions import Fraction

from tests.replica.model import Tag

UNCATEGORIZED = "Uncategorized"

#: Most specific first: an event tagged both "politics" and "elections" is an election.
PRIORITY = (
    "Mentions",
    "Earnings",
    "Elections",
    "Esports",
    "Weather",
    "Crypto",
    "Sports",
    "Geopolitics",
    "Economy",
    "Finance",
    "Politics",
    "Tech",
    "Culture",
    "World",
)

#: slug -> (id, label, category or None). Slugs and labels are the venue's own, odd cases included.
_TAGS: dict[str, tuple[str, str, str | None]] = {
    "crypto": ("21", "Crypto", "Crypto"),
    "bitcoin": ("235", "Bitcoin", "Crypto"),
    "ethereum": ("39", "Ethereum", "Crypto"),
    "crypto-prices": ("1312", "Crypto Prices", "Crypto"),
    "5m": ("102892", "5 Min", "Crypto"),
    "15m": ("102467", "15 Min", "Crypto"),
    "sports": ("1", "Sports", "Sports"),
    "nba": ("745", "NBA", "Sports"),
    "nhl": ("899", "NHL", "Sports"),
    "nfl": ("450", "NFL", "Sports"),
    "ucl": ("100977", "UCL", "Sports"),
    "EPL": ("306", "EPL", "Sports"),
    "ufc": ("279", "UFC", "Sports"),
    "tennis": ("864", "Tennis", "Sports"),
    "soccer": ("100350", "Soccer", "Sports"),
    "esports": ("64", "Esports", "Esports"),
    "politics": ("2", "Politics", "Politics"),
    "congress": ("339", "Congress", "Politics"),
    "elections": ("144", "Elections", "Elections"),
    "global-elections": ("1597", "Global Elections", "Elections"),
    "world-elections": ("101206", "World Elections", "Elections"),
    "finance": ("120", "Finance", "Finance"),
    "stocks": ("604", "Stocks", "Finance"),
    "earnings": ("1013", "Earnings", "Earnings"),
    "economy": ("100328", "Economy", "Economy"),
    "economic-policy": ("101800", "Economic Policy", "Economy"),
    "fed-rates": ("100196", "Fed Rates", "Economy"),
    "fed": ("159", "Fed", "Economy"),
    "fomc": ("100478", "fomc", "Economy"),
    "geopolitics": ("100265", "Geopolitics", "Geopolitics"),
    "tech": ("1401", "Tech", "Tech"),
    "ai": ("439", "AI", "Tech"),
    "google-search": ("102887", "Google Search", "Tech"),
    "pop-culture": ("596", "Culture", "Culture"),
    "culture": ("102999", "Culture", "Culture"),
    "mention-markets": ("100343", "Mentions", "Mentions"),
    "world": ("101970", "World", "World"),
    "weather": ("84", "Weather", "Weather"),
    # Housekeeping: about the listing, not about the subject.
    "hide-from-new": ("102169", "Hide From New", None),
    "recurring": ("101757", "Recurring", None),
    "games": ("100639", "Games", None),
    "all": ("1000", "All", None),
    "up-or-down": ("102127", "Up or Down", None),
    "earn-4": ("102458", "Earn 4%", None),
    "best-of-2025": ("103010", "Best of 2025", None),
    # Known to nobody.
    "unfiled-curiosities": ("104991", "Unfiled Curiosities", None),
}

TAGS: dict[str, Tag] = {slug: Tag(row[0], row[1], slug) for slug, row in _TAGS.items()}
TAG_CATEGORY: dict[str, str | None] = {slug: row[2] for slug, row in _TAGS.items()}

#: USD of taker fee per share x p x (1 - p), by category, for markets created after fees began.
FEE_RATES: dict[str, Fraction] = {
    "Crypto": Fraction("0.072"),
    "Sports": Fraction("0.03"),
    "Esports": Fraction("0.03"),
    "Politics": Fraction("0.04"),
    "Elections": Fraction("0.04"),
    "Mentions": Fraction("0.04"),
    "Finance": Fraction("0.04"),
    "Earnings": Fraction("0.04"),
    "Tech": Fraction("0.04"),
    "Geopolitics": Fraction(0),
}
OTHER_FEE_RATE = Fraction("0.05")


def category_of(tags: tuple[Tag, ...]) -> str:
    """The most specific category that the tags speak for, whatever their order."""
    present = {TAG_CATEGORY.get(tag.slug) for tag in tags}
    return next((name for name in PRIORITY if name in present), UNCATEGORIZED)
