"""The synthetic world: the same for the same arguments, full of every kind, and consistent."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import get_args

import pytest

from tests.replica.model import Entry, EntryType, Fill, Market, Transfer
from tests.replica.world import (
    DUST_SHARES_MICRO,
    World,
    build_world,
    closed_time,
    is_combo,
    market_state,
    proposed_at,
    resolution_status,
)
from tests.replica.world.cast import HOSTILE_NAMES, OPENING
from tests.replica.world.tags import FEE_RATES, OTHER_FEE_RATE, PRIORITY, category_of
from tests.replica.world.topics import HOSTILE_TITLES

DAY = 86400
TINY = {"wallets": 12, "markets": 20, "fills": 300}


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


@pytest.fixture(scope="module", params=["default", "tiny"])
def any_world(request: pytest.FixtureRequest, world: World) -> World:
    return world if request.param == "default" else build_world(seed=3, **TINY)


def transactions(world: World) -> dict[str, list[Fill]]:
    grouped: dict[str, list[Fill]] = defaultdict(list)
    for fill in world.fills:
        grouped[fill.transaction_hash].append(fill)
    return grouped


def matches(world: World) -> list[tuple[Fill, Fill]]:
    """(maker, taker) pairs: a maker's row is followed by its taker's in the transaction."""
    return [
        (maker, taker)
        for fills in transactions(world).values()
        for maker, taker in zip(fills[::2], fills[1::2], strict=True)
    ]


def style(world: World, address: str) -> str:
    return world.wallets[address].style


# ---- same arguments, same world ----


def test_same_arguments_same_world() -> None:
    random.seed(1)
    one = build_world(seed=5, **TINY)
    random.seed(2)
    two = build_world(seed=5, **TINY)
    assert (one.fills, one.entries) == (two.fills, two.entries)
    assert (one.wallets, one.events, one.markets) == (two.wallets, two.events, two.markets)
    assert build_world(seed=6, **TINY).fills != one.fills


def test_the_global_random_state_is_left_alone() -> None:
    random.seed(1)
    before = random.getstate()
    build_world(**TINY)
    assert random.getstate() == before


def test_same_world_whatever_python_hashes() -> None:
    code = (
        "from tests.replica.world import build_world; import zlib;"
        "w = build_world(wallets=12, markets=20, fills=300);"
        "print(zlib.crc32(repr((w.wallets, w.events, w.markets, w.fills, w.entries)).encode()))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("wallets", "markets", "fills", "days"),
    [(2, 1, 0, 2), (2, 1, 10, 2), (5, 7, 41, 30), (12, 20, 300, 240), (300, 90, 2000, 700)],
)
def test_sizes_are_kept(wallets: int, markets: int, fills: int, days: int) -> None:
    world = build_world(wallets=wallets, markets=markets, fills=fills, days=days)
    assert (len(world.wallets), len(world.markets)) == (wallets, markets)
    assert len(world.fills) == fills // 2 * 2
    assert world.ends_at - world.starts_at == days * DAY


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="two wallets"):
        build_world(wallets=1)


# ---- every kind ----


def market_kinds(world: World) -> set[str]:
    found: set[str] = set()
    end = world.ends_at
    for market in world.markets.values():
        found.add(f"ending {market.ending}")
        found.add(f"at the end {market_state(market, end)}")
        found.add(f"outcomes {'/'.join(market.outcomes)}")
        if not market.listed:
            found.add("combo" if is_combo(market.condition_id) else "unlisted")
            if world.fills_by_condition[market.condition_id]:
                found.add("traded though unlisted")
        if market.legacy_category is not None:
            found.add("old")
        length = market.closes_at - market.opens_at
        if length in (300, 900):
            found.add(f"{length} seconds")
            if market.opens_at > end - 3600:
                found.add(f"{length} seconds in the last hour")
            if market.resolved_at is not None and market.resolved_at - market.created_at < 1800:
                found.add("lives and dies within half an hour")
        if market.question in HOSTILE_TITLES:
            found.add("hostile title")
        found.add("with fee" if market.fee_rate else "without fee")
        if not world.fills_by_condition[market.condition_id]:
            found.add("never traded")
    return found


def event_kinds(world: World) -> set[str]:
    found = set()
    for event in world.events.values():
        found.add(f"category {event.category}")
        if event.negative_risk:
            found.add("negative risk")
        if not event.tags:
            found.add("no tags")
        categories = {category_of((tag,)) for tag in event.tags} - {"Uncategorized"}
        if len(categories) > 1:
            found.add("tags of several categories")
        if len(event.tags) == 1:
            found.add("one tag")
    return found


def fill_kinds(world: World) -> set[str]:
    found: set[str] = set()
    for maker, taker in matches(world):
        kind = "trade" if maker.outcome_index == taker.outcome_index else "mint or burn"
        found.add(f"{kind} with taker {taker.side}")
        if maker.wallet == taker.wallet:
            found.add("self-fill")
    for fills in transactions(world).values():
        takers = [fill for fill in fills if fill.is_taker]
        makers = [fill for fill in fills if not fill.is_taker]
        if len({fill.wallet for fill in makers}) > 2:
            found.add("several makers in one transaction")
        for side, rows in (("taker", takers), ("maker", makers)):
            keys = Counter((f.wallet, f.token_id, f.side, f.shares_micro, f.usdc_micro) for f in rows)
            if max(keys.values()) > 1:
                found.add(f"equal {side} fills")
                orders = {fill.order_hash for fill in rows}
                found.add(f"equal {side} fills of {'one order' if len(orders) == 1 else 'orders'}")
    for fill in world.fills:
        price = Fraction(fill.usdc_micro, fill.shares_micro)
        found.add("tick price" if 1000 % price.denominator == 0 else "long price")
        if fill.shares_micro < DUST_SHARES_MICRO:
            found.add("dust")
        found.add("late" if fill.visible_at - fill.timestamp >= 60 else "prompt")
        if fill.timestamp < world.ends_at - 3 * 365 * DAY:
            found.add("older than three years")
    for fills in world.fills_by_wallet.values():
        if len(fills) > 1000:
            found.add("history over 1000")
        for one, two in pairwise(fills):
            if one.timestamp == two.timestamp and one.transaction_hash != two.transaction_hash:
                found.add("transactions in one second")
    return found


def wallet_kinds(world: World) -> set[str]:
    found = {f"style {wallet.style}" for wallet in world.wallets.values()}
    found |= {f"board {wallet.on_leaderboard}" for wallet in world.wallets.values()}
    found |= {f"name {w.name[:9]!r}" for w in world.wallets.values() if w.name in HOSTILE_NAMES}
    return found


def kinds(world: World) -> set[str]:
    entries = {f"entry {entry.type}" for entry in world.entries}
    return market_kinds(world) | event_kinds(world) | fill_kinds(world) | wallet_kinds(world) | entries


FILL_KINDS = {
    "trade with taker BUY",
    "trade with taker SELL",
    "mint or burn with taker BUY",
    "mint or burn with taker SELL",
    "self-fill",
    "several makers in one transaction",
    "equal taker fills",
    "equal taker fills of one order",
    "equal maker fills",
    "tick price",
    "long price",
    "dust",
    "late",
    "prompt",
    "older than three years",
    "transactions in one second",
}
MARKET_KINDS = {
    *(f"ending {e}" for e in ("binary", "fifty_fifty", "fractional", "void", "never", "open")),
    *(f"at the end {s}" for s in ("open", "closed", "resolved", "voided", "unlisted")),
    "outcomes Yes/No",
    "outcomes Up/Down",
    "combo",
    "unlisted",
    "traded though unlisted",
    "old",
    "300 seconds in the last hour",
    "900 seconds in the last hour",
    "lives and dies within half an hour",
    "negative risk",
    "with fee",
    "without fee",
    "hostile title",
}
ALL_KINDS = {
    *FILL_KINDS,
    *MARKET_KINDS,
    "at the end proposed",
    "at the end upcoming",
    "outcomes Lakers/Celtics",
    "never traded",
    "equal maker fills of one order",
    "equal maker fills of orders",
    "history over 1000",
    "no tags",
    "one tag",
    "tags of several categories",
    "category Uncategorized",
    "board True",
    "board False",
    *(f"category {name}" for name in PRIORITY),
    *(f"entry {kind}" for kind in get_args(EntryType)),
    *(f"style {name}" for name in OPENING),
    *(f"name {name[:9]!r}" for name in HOSTILE_NAMES),
}


@pytest.mark.parametrize("seed", [7, 1, 2])
def test_a_default_world_has_every_kind(seed: int) -> None:
    assert ALL_KINDS - kinds(build_world(seed=seed)) == set()


@pytest.mark.parametrize("seed", [7, 1, 2])
def test_a_tiny_world_has_most_kinds(seed: int) -> None:
    found = kinds(build_world(seed=seed, **TINY))
    assert {f"style {name}" for name in OPENING} <= found
    assert MARKET_KINDS - found == set()
    # Where the small numbers leave it to chance.
    assert FILL_KINDS - found <= {"mint or burn with taker SELL", "transactions in one second"}


def test_a_story_is_told_to_its_end(world: World) -> None:
    """A healthy share of the trades, and of the resolutions, lies in the last 30 and 90 days."""
    for days, share in ((30, 0.12), (90, 0.35)):
        since = world.ends_at - days * DAY
        assert sum(fill.timestamp > since for fill in world.fills) > share * len(world.fills)
        ends = [m.resolved_at for m in world.markets.values() if m.resolved_at]
        assert sum(since < end <= world.ends_at for end in ends) > share * len(ends)


# ---- what must hold of every world ----


def test_ids_have_the_venues_forms(any_world: World) -> None:
    for wallet in any_world.wallets:
        assert len(wallet) == 42 and wallet == wallet.lower() and int(wallet, 16)
    tokens = [token for market in any_world.markets.values() for token in market.token_ids]
    assert {len(token) for token in tokens} == {77, 78}
    assert len(set(tokens)) == len(tokens) and all(int(token) < 2**256 for token in tokens)
    for market in any_world.markets.values():
        assert len(market.condition_id) == (64 if is_combo(market.condition_id) else 66)
        assert market.listed or not market.negative_risk
    for rows in (any_world.markets.values(), any_world.events.values()):
        slugs = [row.slug for row in rows]
        assert len(set(slugs)) == len(slugs)
        ids = [int(row.id) for row in rows]
        assert ids == sorted(set(ids))
        # Ids grow with time.
        assert [row.created_at for row in rows] == sorted(row.created_at for row in rows)


def test_events_and_markets_know_each_other(any_world: World) -> None:
    for market in any_world.markets.values():
        assert market.condition_id in any_world.event_of(market).condition_ids
    named = [c for event in any_world.events.values() for c in event.condition_ids]
    assert sorted(named) == sorted(any_world.markets)


def test_categories_follow_from_tags(any_world: World) -> None:
    for event in any_world.events.values():
        assert category_of(event.tags) == event.category
        assert category_of(tuple(reversed(event.tags))) == event.category


def test_markets_pay_what_their_ending_says(any_world: World) -> None:
    for market in any_world.markets.values():
        paying = market.ending in ("binary", "fifty_fifty", "fractional")
        assert (market.payouts is not None) == paying
        assert market.payouts is None or sum(market.payouts) == 1
        assert (market.resolved_at is None) == (market.ending in ("never", "open"))
        assert market.created_at < market.opens_at < market.closes_at
        assert market.resolved_at is None or market.closes_at < market.resolved_at
        if market.ending == "open":
            assert market.closes_at > any_world.ends_at


def test_at_most_one_market_of_a_negative_risk_event_ends_yes() -> None:
    world = build_world(wallets=12, markets=600, fills=0)
    winners = Counter(
        sum(1 for market in markets if market.payouts is not None and market.payouts[0] == 1)
        for event_id, markets in world.markets_by_event.items()
        if world.events[event_id].negative_risk
    )
    assert set(winners) == {0, 1}
    sizes = [len(e.condition_ids) for e in world.events.values() if e.negative_risk]
    assert min(sizes) >= 5 and 10 <= max(sizes) <= 12


def test_fees_are_the_takers_and_exact(any_world: World) -> None:
    for fill in any_world.fills:
        market = any_world.markets[fill.condition_id]
        price = Fraction(fill.usdc_micro, fill.shares_micro)
        exact = Fraction(fill.shares_micro, 10**6) * market.fee_rate * price * (1 - price)
        fee = Fraction(fill.fee_micro, 10**6)
        if not fill.is_taker:
            assert fee == 0
            continue
        assert (fee * 10**5).denominator == 1
        assert abs(fee - exact) <= Fraction(1, 2 * 10**5)
    for market in any_world.markets.values():
        rate = FEE_RATES.get(any_world.event_of(market).category, OTHER_FEE_RATE)
        assert market.fee_rate == (rate if market.created_at >= any_world.fees_begin_at else 0)


def test_matches_balance(any_world: World) -> None:
    """Both sides trade the same shares; a mint's or burn's two prices add up to a dollar."""
    for maker, taker in matches(any_world):
        assert taker.is_taker and not maker.is_taker
        assert maker.shares_micro == taker.shares_micro
        assert (maker.counterparty, taker.counterparty) == (taker.wallet, maker.wallet)
        if maker.token_id == taker.token_id:
            assert {maker.side, taker.side} == {"BUY", "SELL"}
            assert maker.usdc_micro == taker.usdc_micro
        else:
            assert maker.side == taker.side
            assert maker.usdc_micro + taker.usdc_micro == maker.shares_micro


def test_trades_lie_in_the_life_of_their_market(any_world: World) -> None:
    for fill in any_world.fills:
        market = any_world.markets[fill.condition_id]
        assert market.opens_at <= fill.timestamp < min(market.closes_at, any_world.ends_at)
        assert 0 < fill.usdc_micro < fill.shares_micro
        assert fill.timestamp <= fill.visible_at <= fill.timestamp + 600
        assert fill.visible_at < fill.enriched_at
        assert market.token_ids[fill.outcome_index] == fill.token_id


def test_one_order_of_everything(any_world: World) -> None:
    everything: list[Fill | Entry] = [*any_world.fills, *any_world.entries]
    everything.sort(key=lambda row: row.sequence_id)
    assert [row.timestamp for row in everything] == sorted(row.timestamp for row in everything)
    assert len({row.sequence_id for row in everything}) == len(everything)
    for rows in (any_world.fills, any_world.entries):
        assert all(one.sequence_id < two.sequence_id for one, two in pairwise(rows))
    keys = {(fill.transaction_hash, fill.log_index) for fill in any_world.fills}
    assert len(keys) == len(any_world.fills)


def replay(world: World) -> dict[tuple[str, str], list[int]]:
    """Shares of every (wallet, condition) after the story; nobody ever gives what it does not have."""
    held: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    everything: list[Fill | Entry | Transfer] = [*world.transfers, *world.fills, *world.entries]
    everything.sort(key=lambda row: (row.timestamp, getattr(row, "sequence_id", 0)))
    for row in everything:
        if isinstance(row, Transfer):
            shares = held[row.wallet, row.condition_id]
            shares[row.outcome_index] += row.shares_micro
            touched = [shares]
        elif isinstance(row, Fill):
            change = row.shares_micro if row.side == "BUY" else -row.shares_micro
            shares = held[row.wallet, row.condition_id]
            shares[row.outcome_index] += change
            # Within one transaction a wallet may give before it takes.
            touched = [shares] if row.is_taker else []
        else:
            touched = _apply(world, held, row)
        assert all(amount >= 0 for shares in touched for amount in shares), row
    return held


def _apply(world: World, held: dict[tuple[str, str], list[int]], entry: Entry) -> list[list[int]]:
    if entry.type == "CONVERSION":
        legs = {c: held[entry.wallet, c] for c in world.events[entry.event_id].condition_ids}
        assert 1 <= len(entry.converted) <= len(legs)
        assert entry.usdc_micro == (len(entry.converted) - 1) * entry.shares_micro
        for condition_id, shares in legs.items():
            if condition_id in entry.converted:
                shares[1] -= entry.shares_micro
            else:
                shares[0] += entry.shares_micro
        return list(legs.values())
    shares = held[entry.wallet, entry.condition_id]
    if entry.type in ("SPLIT", "MERGE"):
        assert entry.usdc_micro == entry.shares_micro
        change = entry.shares_micro if entry.type == "SPLIT" else -entry.shares_micro
        shares[0] += change
        shares[1] += change
    elif entry.type == "REDEEM":
        market = world.markets[entry.condition_id]
        assert market.payouts is not None and market.resolved_at is not None
        assert entry.timestamp > market.resolved_at
        owed = sum(paid * amount for paid, amount in zip(market.payouts, shares, strict=True))
        assert 0 <= owed - entry.usdc_micro < 1
        shares[:] = [0, 0]
    else:
        assert entry.condition_id == "" and entry.usdc_micro > 0
    return [shares]


def test_nobody_gives_what_it_does_not_have(any_world: World) -> None:
    assert min(min(shares) for shares in replay(any_world).values()) == 0


def test_receivers_sell_what_no_ledger_shows(world: World) -> None:
    traded: Counter[tuple[str, str]] = Counter()
    for fill in world.fills:
        traded[fill.wallet, fill.token_id] += fill.shares_micro if fill.side == "BUY" else -fill.shares_micro
    reshaping = {entry.wallet for entry in world.entries if entry.type in ("SPLIT", "CONVERSION")}
    oversold = {wallet for (wallet, _), shares in traded.items() if shares < 0} - reshaping
    assert {style(world, wallet) for wallet in oversold} == {"receiver"}
    assert oversold <= {transfer.wallet for transfer in world.transfers}


def test_gifts_go_both_ways(world: World) -> None:
    given = [transfer for transfer in world.transfers if transfer.shares_micro < 0]
    assert len(given) > 5
    assert len({transfer.wallet for transfer in given}) > 3
    received = Counter((transfer.token_id, transfer.shares_micro) for transfer in world.transfers)
    assert any(received[transfer.token_id, -transfer.shares_micro] for transfer in given)


def test_conversions_of_every_shape(world: World) -> None:
    conversions = [entry for entry in world.entries if entry.type == "CONVERSION"]
    given = [len(entry.converted) for entry in conversions]
    assert min(given) == 1 and max(given) > 3
    assert max(Counter((entry.wallet, entry.event_id) for entry in conversions).values()) == 2


def test_losers_are_hardly_ever_redeemed(world: World) -> None:
    kept: Counter[str] = Counter()
    for (_, condition_id), shares in replay(world).items():
        market = world.markets.get(condition_id)
        if market is None or market.ending != "binary" or max(shares) <= 0 or not market.listed:
            continue
        assert market.payouts is not None and market.resolved_at is not None
        if market.resolved_at < world.ends_at - 12 * DAY:
            winning = shares[0 if market.payouts[0] == 1 else 1] > 0
            kept["winner kept" if winning else "loser kept"] += 1
    redeemed = sum(entry.type == "REDEEM" and entry.usdc_micro > 0 for entry in world.entries)
    assert kept["loser kept"] > 200
    assert 0 < kept["winner kept"] < redeemed / 3


def test_most_wallets_only_trade(world: World) -> None:
    reshaping = {e.wallet for e in world.entries if e.type in ("SPLIT", "MERGE", "CONVERSION")}
    assert 1 <= len(reshaping) < len(world.wallets) / 4


def test_skill_pays_and_haste_costs() -> None:
    """Return on stake by style over many wallets; no edge earns about nothing."""
    world = build_world(seed=11, wallets=150, markets=1200, fills=24_000)
    cash: Counter[str] = Counter()
    stake: Counter[str] = Counter()
    for fill in world.fills:
        market, kind = world.markets[fill.condition_id], style(world, fill.wallet)
        if market.payouts is None or not fill.is_taker or fill.side == "SELL":
            continue
        worth = market.payouts[fill.outcome_index] * fill.shares_micro
        cash[kind] += int(worth) - fill.usdc_micro - fill.fee_micro
        stake[kind] += fill.usdc_micro
    returns = {kind: cash[kind] / stake[kind] for kind in stake}
    assert returns["skilled"] > 0.1
    assert returns["loser"] < -0.1
    assert -0.12 < returns["zero_edge"] < 0.1


# ---- what the venue shows at a moment ----


def some_moments(market: Market) -> list[int]:
    proposed = proposed_at(market)
    moments = [market.created_at, market.opens_at, market.closes_at, proposed, market.resolved_at]
    return [m + shift for m in moments if m is not None for shift in (-1, 0, 1)]


def test_states_follow_each_other(any_world: World) -> None:
    order = ["unlisted", "upcoming", "open", "closed", "proposed", "resolved", "voided"]
    for market in any_world.markets.values():
        states = [market_state(market, now) for now in sorted(some_moments(market))]
        if not market.listed:
            assert set(states) == {"unlisted"}
            continue
        assert states == sorted(states, key=order.index)
        assert states[0] == "unlisted" and {"upcoming", "open", "closed"} <= set(states)
        last = {"void": "voided", "never": "closed", "open": "closed"}
        assert states[-1] == last.get(market.ending, "resolved")


def test_prices_show_the_payout_only_once_it_is_known(any_world: World) -> None:
    for market in any_world.markets.values():
        for now in some_moments(market) + [any_world.ends_at]:
            state = market_state(market, now)
            first, second = any_world.outcome_prices(market, now)
            if state == "resolved":
                assert (Fraction(first), Fraction(second)) == market.payouts
            elif state == "voided":
                assert (first, second) == (0, 0)
            elif market.ending == "never" and market.legacy_category and state == "closed":
                assert (first, second) == (0, 0)
            else:
                assert first + second == 1 and 0 < first < 1
                if state in ("closed", "proposed"):
                    assert first != Decimal("0.5")
                if state == "proposed" and market.payouts is not None:
                    assert 0 < abs(Fraction(first) - market.payouts[0]) < Fraction(1, 1000)


def test_oracle_status_and_closed_time(world: World) -> None:
    seen = set()
    for market in world.markets.values():
        for now in some_moments(market):
            state, status = market_state(market, now), resolution_status(market, now)
            seen.add((state, status))
            if state in ("resolved", "voided"):
                assert closed_time(market, now) == market.resolved_at
            else:
                closed = state in ("closed", "proposed")
                assert closed_time(market, now) == (market.closes_at if closed else None)
            if state == "voided":
                # Without a status a void could not be told from a market still undecided.
                assert status == "resolved"
    assert {s for s in seen if s[0] in ("proposed", "resolved")} == {
        ("proposed", None),
        ("proposed", "proposed"),
        ("proposed", "disputed"),
        ("resolved", None),
        ("resolved", "resolved"),
    }
    assert all(status is None for state, status in seen if state in ("upcoming", "open", "closed"))


def test_volume_and_last_price_agree_with_a_scan(any_world: World) -> None:
    for now in (any_world.starts_at, any_world.ends_at - 20 * DAY, any_world.ends_at):
        for condition_id, fills in any_world.fills_by_condition.items():
            takers = [f for f in fills if f.is_taker and f.timestamp <= now]
            volume = sum(fill.usdc_micro for fill in takers)
            assert any_world.volume_micro(condition_id, now) == volume
            recent = sum(f.usdc_micro for f in takers if f.timestamp > now - DAY)
            assert any_world.volume_micro(condition_id, now, now - DAY) == recent
            expected = 0.5
            if takers:
                price = takers[-1].usdc_micro / takers[-1].shares_micro
                expected = price if takers[-1].outcome_index == 0 else 1 - price
            shown = float(any_world.last_price(condition_id, now))
            assert shown == pytest.approx(min(max(expected, 0.001), 0.999), abs=0.00051)


def test_rows_appear_when_visible_and_keep_their_place(world: World) -> None:
    late = next(f for f in world.fills if f.visible_at - f.timestamp >= 60)
    before = world.visible_fills(late.wallet, late.visible_at - 1)
    after = world.visible_fills(late.wallet, late.visible_at)
    assert late not in before and late in after
    assert [f.sequence_id for f in after] == sorted(f.sequence_id for f in after)
    entry = world.entries[100]
    assert entry not in world.visible_entries(entry.wallet, entry.visible_at - 1)
    assert entry in world.visible_entries(entry.wallet, entry.visible_at)


def test_labels_are_enriched_late_and_never_for_unlisted_markets(world: World) -> None:
    forms = set()
    for fill in world.fills:
        market = world.markets[fill.condition_id]
        fresh = world.trade_labels(fill, fill.visible_at)
        assert (fresh.event_slug, fresh.outcome_index) == ("", 999)
        full = world.trade_labels(fill, fill.enriched_at)
        if market.listed:
            assert full.outcome_index == fill.outcome_index
            assert full.event_slug == world.event_of(market).slug
            assert fresh.outcome == full.outcome == market.outcomes[fill.outcome_index]
        else:
            assert full == fresh
            forms.add((full.slug == "", full.outcome == ""))
    assert forms == {(True, True), (False, False)}


def test_listings_grow(world: World) -> None:
    early, late = world.starts_at + 30 * DAY, world.ends_at
    assert 0 < len(world.listed_markets(early)) < len(world.listed_markets(late))
    assert {m.event_id for m in world.listed_markets(late)} == {event.id for event in world.listed_events(late)}


def test_indexes_lead_back(any_world: World) -> None:
    for token, (market, index) in any_world.tokens.items():
        assert market.token_ids[index] == token
    for market in any_world.markets.values():
        assert any_world.markets_by_id[market.id] is market
        assert any_world.markets_by_slug[market.slug] is market
    for event in any_world.events.values():
        assert any_world.events_by_slug[event.slug] is event
    for index in (any_world.fills_by_wallet, any_world.fills_by_condition):
        assert sum(map(len, index.values())) == len(any_world.fills)
    assert sum(map(len, any_world.entries_by_wallet.values())) == len(any_world.entries)
