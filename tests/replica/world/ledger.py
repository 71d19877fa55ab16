"""Everything on a wallet's ledger that is not a trade."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from random import Random

from tests.replica.model import EntryType, Event
from tests.replica.world.cast import Cast
from tests.replica.world.trading import MICRO, Book
from tests.replica.world.venue import DAY, HOUR

#: Money that comes and goes without a market, and how many entries per hundred wallets.
_CASH: dict[EntryType, int] = {
    "REWARD": 120,
    "MAKER_REBATE": 80,
    "TAKER_REBATE": 40,
    "REFERRAL_REWARD": 15,
    "MIGRATION": 10,
    "YIELD": 60,
    "DEPOSIT": 150,
    "WITHDRAWAL": 70,
    "TIP": 10,
}


@dataclass(slots=True)
class EntryDraft:
    """An entry before it has a sequence id; the wallet by index."""

    timestamp: int
    wallet: int
    type: EntryType
    condition_id: str
    event_id: str
    converted: tuple[str, ...]
    shares: int
    usdc: int
    side: str = ""


@dataclass(slots=True)
class TransferDraft:
    """Shares given to a wallet, or away by it: the wallet by index, the market by its book."""

    timestamp: int
    wallet: int
    book: Book
    outcome: int
    shares: int


def build_entries(
    rng: Random,
    cast: Cast,
    events: dict[str, Event],
    books: list[Book],
    starts_at: int,
    ends_at: int,
) -> tuple[list[EntryDraft], list[TransferDraft]]:
    """Splits, merges, conversions, redemptions and cash, and transfers, in no particular order."""
    transfers = [transfer for book in books for transfer in _received(book)]
    entries = [_split(book, *split) for book in books for split in book.splits]
    entries += _merges(rng, cast, books, ends_at)
    entries += _conversions(rng, cast, events, books, ends_at)
    transfers += _gifts(rng, cast, books, ends_at)
    entries += _redemptions(rng, books, ends_at)
    entries += _cash(rng, cast, starts_at, ends_at)
    return entries, transfers


def _received(book: Book) -> list[TransferDraft]:
    """What wallets must have been given at the beginning to sell all that they sold."""
    drafts = []
    for wallet, lowest in book.lowest.items():
        for outcome, least in enumerate(lowest):
            if least < 0:
                book.of(wallet)[outcome] -= least
                drafts.append(TransferDraft(book.plan.market.opens_at + 1, wallet, book, outcome, -least))
    return drafts


def _gifts(rng: Random, cast: Cast, books: list[Book], ends_at: int) -> list[TransferDraft]:
    """Now and then somebody gives shares away; half of them go to a wallet that likes to receive."""
    receivers = [persona.index for persona in cast.personas if persona.style == "receiver"]
    drafts = []
    for book in books:
        if not book.plan.market.listed:
            continue
        for wallet, held in list(book.holdings.items()):
            outcome = 0 if held[0] >= held[1] else 1
            if held[outcome] < 2 * MICRO or rng.random() >= 0.01:
                continue
            moment = _after_trading(rng, book, wallet, ends_at)
            if moment is None:
                continue
            shares = held[outcome] // rng.randint(1, 3)
            held[outcome] -= shares
            drafts.append(TransferDraft(moment, wallet, book, outcome, -shares))
            if receivers and rng.random() < 0.5:
                receiver = rng.choice(receivers)
                book.of(receiver)[outcome] += shares
                drafts.append(TransferDraft(moment, receiver, book, outcome, shares))
    return drafts


def _split(book: Book, timestamp: int, wallet: int, shares: int) -> EntryDraft:
    market = book.plan.market
    return EntryDraft(timestamp, wallet, "SPLIT", market.condition_id, market.event_id, (), shares, shares)


def _after_trading(rng: Random, book: Book, wallet: int, ends_at: int) -> int | None:
    """A moment after the wallet's last trade in the market and before its close, if any."""
    last = book.last_trade_at.get(wallet)
    latest = min(book.plan.market.closes_at, ends_at) - 1
    if last is None or last + 1 >= latest:
        return None
    return rng.randint(last + 1, latest)


def _merges(rng: Random, cast: Cast, books: list[Book], ends_at: int) -> list[EntryDraft]:
    """Arbitrageurs merge what they hold on both sides; a market maker does it now and then."""
    entries = []
    for book in books:
        market = book.plan.market
        if not market.listed:
            continue
        for wallet, held in book.holdings.items():
            style = cast.personas[wallet].style
            chance = {"arbitrageur": 0.6, "market_maker": 0.02}.get(style, 0.0)
            if not chance or min(held) < MICRO or rng.random() >= chance:
                continue
            moment = _after_trading(rng, book, wallet, ends_at)
            if moment is None:
                continue
            shares = min(held)
            held[0] -= shares
            held[1] -= shares
            book.last_trade_at[wallet] = moment
            entries.append(
                EntryDraft(
                    moment,
                    wallet,
                    "MERGE",
                    market.condition_id,
                    market.event_id,
                    (),
                    shares,
                    shares,
                )
            )
    return entries


def _conversions(
    rng: Random, cast: Cast, events: dict[str, Event], books: list[Book], ends_at: int
) -> list[EntryDraft]:
    """NO shares of k markets of one event become YES shares of its others and k - 1 dollars."""
    by_condition = {book.plan.market.condition_id: book for book in books}
    entries = []
    for event in events.values():
        if not event.negative_risk:
            continue
        # Markets without a trade still receive YES shares.
        legs = [by_condition[condition] for condition in event.condition_ids]
        for wallet in cast.arbitrageurs:
            for _ in range(rng.choice((1, 2))):
                entry = _conversion(rng, event, legs, wallet, ends_at)
                if entry is not None:
                    entries.append(entry)
    return entries


def _conversion(rng: Random, event: Event, legs: list[Book], wallet: int, ends_at: int) -> EntryDraft | None:
    earliest = 1 + max((leg.last_trade_at[wallet] for leg in legs if wallet in leg.last_trade_at), default=0)
    given = [
        leg
        for leg in legs
        if leg.holdings.get(wallet, (0, 0))[1] >= MICRO and min(leg.plan.market.closes_at, ends_at) - 1 > earliest
    ]
    if not given:
        return None
    taste = rng.random()
    if taste < 0.2:
        # One NO share is worth a YES share of every other outcome, and no cash.
        given = [rng.choice(given)]
    elif taste < 0.3 and len(given) > 2:
        # Not all that could be given: the venue's row does not say which.
        given = given[:-1]
    latest = min(min(leg.plan.market.closes_at for leg in given), ends_at) - 1
    moment = rng.randint(earliest, latest)
    shares = min(leg.holdings[wallet][1] for leg in given)
    for leg in legs:
        if leg in given:
            leg.of(wallet)[1] -= shares
        else:
            leg.of(wallet)[0] += shares
        leg.last_trade_at[wallet] = moment
    converted = tuple(leg.plan.market.condition_id for leg in given)
    cash = (len(given) - 1) * shares
    return EntryDraft(moment, wallet, "CONVERSION", converted[0], event.id, converted, shares, cash)


def _redemptions(rng: Random, books: list[Book], ends_at: int) -> list[EntryDraft]:
    """Winners mostly redeem, losers hardly ever: there is nothing to fetch."""
    entries = []
    for book in books:
        market = book.plan.market
        if market.payouts is None or market.resolved_at is None or not market.listed:
            continue
        for wallet, held in book.holdings.items():
            if max(held) <= 0:
                continue
            shares = [max(0, amount) for amount in held]
            paid = sum(
                (payout * amount for payout, amount in zip(market.payouts, shares, strict=True)),
                Fraction(0),
            )
            moment = market.resolved_at + rng.randint(60, 12 * DAY)
            if rng.random() < (0.85 if paid else 0.03) and moment <= ends_at:
                cash = paid.numerator // paid.denominator
                # The venue shows a redemption's size as what it paid.
                entries.append(
                    EntryDraft(
                        moment,
                        wallet,
                        "REDEEM",
                        market.condition_id,
                        market.event_id,
                        (),
                        cash,
                        cash,
                    )
                )
    return entries


def _cash(rng: Random, cast: Cast, starts_at: int, ends_at: int) -> list[EntryDraft]:
    people = len(cast.personas)
    entries = []
    for kind, per_hundred in _CASH.items():
        for _ in range(max(1, people * per_hundred // 100)):
            maker = kind == "MAKER_REBATE"
            wallet = rng.choice(cast.makers) if maker else rng.randrange(people)
            amount = int(rng.lognormvariate(1.5, 1.5) * MICRO) + 1
            moment = rng.randint(starts_at + HOUR, ends_at - 1)
            side = rng.choice(("IN", "OUT")) if kind == "TIP" else ""
            entries.append(EntryDraft(moment, wallet, kind, "", "", (), amount, amount, side))
    return entries
