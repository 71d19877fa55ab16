"""From a seed to a world."""

from __future__ import annotations

from itertools import accumulate
from operator import attrgetter
from random import Random

from tests.replica.model import Entry, Fill, Transfer
from tests.replica.world.cast import Cast, build_cast
from tests.replica.world.core import World
from tests.replica.world.ledger import EntryDraft, TransferDraft, build_entries
from tests.replica.world.trading import Book, Draft, Floor
from tests.replica.world.venue import DAY, Calendar, Plan, build_venue

#: 2026-03-01T00:00:00Z, the end of the story unless told otherwise.
DEFAULT_END = 1_772_323_200

#: Beyond 2^53: a reader that passes it through a float loses the order.
_FIRST_SEQUENCE_ID = 937_000_000_000_000_001


def build_world(
    seed: int = 7,
    wallets: int = 60,
    markets: int = 200,
    fills: int = 5000,
    days: int = 240,
    ends_at: int = DEFAULT_END,
) -> World:
    """The same arguments give the same world, on every machine.

    Exactly `wallets`, `markets` and `fills` (less one when odd: each match is two fills).
    `days` is the length of the story; two old markets lie before it.
    """
    if wallets < 2 or markets < 1 or fills < 0 or days < 2:
        raise ValueError("a world needs two wallets, one market and two days")
    rng = Random(seed)
    span = days * DAY
    calendar = Calendar(ends_at - span, ends_at, fees_begin_at=ends_at - span * 55 // 100)
    cast = build_cast(rng, wallets)
    events, by_condition, plans = build_venue(rng, calendar, markets)
    _seat_arbitrageurs(rng, cast, plans)
    floor = Floor(rng, cast, ends_at)
    books = _trade(floor, plans, fills // 2)
    entries, transfers = build_entries(rng, cast, events, books, calendar.starts_at, ends_at)
    world_fills, world_entries = _publish(rng, cast, plans, floor.drafts, entries)
    return World(
        seed=seed,
        starts_at=calendar.starts_at,
        ends_at=ends_at,
        fees_begin_at=calendar.fees_begin_at,
        wallets=cast.wallets,
        events=events,
        markets=by_condition,
        fills=world_fills,
        entries=world_entries,
        transfers=_transfers(cast, transfers),
    )


def _seat_arbitrageurs(rng: Random, cast: Cast, plans: list[Plan]) -> None:
    """One arbitrageur sits in all markets of a negative-risk event: it has legs to convert."""
    chosen: dict[str, int] = {}
    for plan in plans:
        if plan.market.negative_risk and cast.arbitrageurs:
            event_id = plan.market.event_id
            if event_id not in chosen:
                chosen[event_id] = rng.choice(cast.arbitrageurs)
            plan.regulars.append(chosen[event_id])


def _trade(floor: Floor, plans: list[Plan], matches: int) -> list[Book]:
    budgets = _budgets([plan.weight for plan in plans], matches)
    return [floor.trade(index, plan, budget) for index, (plan, budget) in enumerate(zip(plans, budgets, strict=True))]


def _budgets(weights: list[float], matches: int) -> list[int]:
    """Matches per market, adding up exactly. Where it goes round, each tradable market has two."""
    tradable = [index for index, weight in enumerate(weights) if weight > 0]
    floor = 2 if matches >= 4 * len(tradable) else 0
    rest = matches - floor * len(tradable)
    total = sum(weights)
    bounds = [0, *(round(rest * part / total) for part in accumulate(weights))]
    return [
        upper - lower + (floor if weight > 0 else 0)
        for weight, lower, upper in zip(weights, bounds, bounds[1:], strict=False)
    ]


def _publish(
    rng: Random, cast: Cast, plans: list[Plan], drafts: list[Draft], entries: list[EntryDraft]
) -> tuple[list[Fill], list[Entry]]:
    """Put everything into one order of time and give out sequence ids."""
    drafts.sort(key=attrgetter("timestamp", "transaction", "log_index"))
    entries.sort(key=attrgetter("timestamp", "wallet", "type", "condition_id"))
    fills: list[Fill] = []
    published: list[Entry] = []
    sequence_id = _FIRST_SEQUENCE_ID
    addresses = [persona.address for persona in cast.personas]
    waiting = iter(entries)
    entry = next(waiting, None)
    for draft in drafts:
        while entry is not None and entry.timestamp <= draft.timestamp:
            published.append(_entry(rng, addresses, sequence_id, entry))
            sequence_id += 10
            entry = next(waiting, None)
        fills.append(_fill(rng, addresses, plans, sequence_id, draft))
        sequence_id += 10
    while entry is not None:
        published.append(_entry(rng, addresses, sequence_id, entry))
        sequence_id += 10
        entry = next(waiting, None)
    return fills, published


def _delay(rng: Random) -> int:
    """Seconds until the venue shows a row: a few, for one in thirty up to ten minutes."""
    return rng.randrange(60, 600) if rng.random() < 0.033 else rng.randrange(0, 8)


def _fill(rng: Random, addresses: list[str], plans: list[Plan], sequence_id: int, draft: Draft) -> Fill:
    market = plans[draft.plan].market
    visible_at = draft.timestamp + _delay(rng)
    return Fill(
        sequence_id=sequence_id,
        transaction_hash=draft.transaction_hash,
        log_index=draft.log_index,
        order_hash=draft.order_hash,
        wallet=addresses[draft.wallet],
        counterparty=addresses[draft.counterparty],
        token_id=market.token_ids[draft.outcome],
        condition_id=market.condition_id,
        outcome_index=draft.outcome,
        side=draft.side,
        shares_micro=draft.shares,
        usdc_micro=draft.usdc,
        fee_micro=draft.fee,
        is_taker=draft.is_taker,
        timestamp=draft.timestamp,
        visible_at=visible_at,
        enriched_at=visible_at + rng.randrange(30, 300),
    )


def _entry(rng: Random, addresses: list[str], sequence_id: int, draft: EntryDraft) -> Entry:
    return Entry(
        sequence_id=sequence_id,
        transaction_hash=f"0x{rng.getrandbits(256):064x}",
        log_index=rng.randrange(2, 900),
        wallet=addresses[draft.wallet],
        type=draft.type,
        condition_id=draft.condition_id,
        event_id=draft.event_id,
        converted=draft.converted,
        shares_micro=draft.shares,
        usdc_micro=draft.usdc,
        timestamp=draft.timestamp,
        visible_at=draft.timestamp + _delay(rng),
        side=draft.side,
    )


def _transfers(cast: Cast, drafts: list[TransferDraft]) -> list[Transfer]:
    drafts.sort(key=attrgetter("timestamp", "wallet", "outcome"))
    return [
        Transfer(
            wallet=cast.personas[draft.wallet].address,
            token_id=draft.book.plan.market.token_ids[draft.outcome],
            condition_id=draft.book.plan.market.condition_id,
            outcome_index=draft.outcome,
            shares_micro=draft.shares,
            timestamp=draft.timestamp,
        )
        for draft in drafts
    ]
