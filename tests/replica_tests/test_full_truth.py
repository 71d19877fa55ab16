"""The truth of the whole ledger: by hand on small stories, by its own laws on random ones."""

from __future__ import annotations

import math
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.replica.books import Bookkeeper, Conversion
from tests.replica.full_truth import FullTruth, discoveries, full_truth, known_markets
from tests.replica.model import EntryType
from tests.replica.units import Parameters, Row
from tests.replica.world import World, build_world
from tests.replica_tests.ledgers import ledgers
from tests.replica_tests.story import ANN, BOB, NOW, RESOLVED, Story, only


@pytest.fixture
def story() -> Story:
    return Story()


def books(story: Story, now: int = NOW, **options: Any) -> FullTruth:
    return full_truth(story.world(), now, **options)


def position(result: FullTruth, condition_id: str, outcome: str = "Yes") -> Row:
    return only(result.wallet_positions, market_id=condition_id, outcome=outcome)


def profit(result: FullTruth, condition_id: str) -> Decimal:
    value = only(result.wallet_market_pnl, market_id=condition_id)["resolved_pnl"]
    assert isinstance(value, Decimal)
    return value


def booked(market: Row) -> Decimal:
    """What a market is worth to the curve: its resolution, or what was realized."""
    value = market["realized_cash_pnl"] if market["resolved_pnl"] is None else market["resolved_pnl"]
    assert isinstance(value, Decimal)
    return value


def conversions(world: World) -> list[Conversion]:
    keeper = Bookkeeper(world, world.ends_at, known_markets(world, world.wallets, world.ends_at))
    return [one for wallet in world.wallets for one in keeper.books(wallet, world.ends_at).conversions]


def family(story: Story, size: int, winner: int | None) -> tuple[str, ...]:
    """The markets of a negative-risk event; None: none of them wins."""
    return tuple(story.market(int(n == winner), int(n != winner), event="family") for n in range(size))


# ---- kinds of entries, by hand ----


def test_a_split_sold_on_one_side_keeps_the_other(story: Story) -> None:
    market = story.market(1, 0)
    story.entry(ANN, "SPLIT", market, 100)
    story.fill(ANN, "SELL", market, 100, 30, outcome=1)
    result = books(story)
    yes, no = position(result, market), position(result, market, "No")
    assert (yes["shares_split"], yes["shares_held"], yes["split_usd"]) == (100, 100, 50)
    assert (no["shares_held"], no["realized_cash_pnl"]) == (0, -20)
    assert profit(result, market) == 30
    assert only(result.wallet_market_pnl)["stake_usd"] == 100
    assert only(result.wallet_market_pnl)["is_scored"]


def test_a_merge_of_a_bought_pair_brings_a_dollar_a_pair(story: Story) -> None:
    market = story.market(0, 1)
    story.fill(ANN, "BUY", market, 50, 20)
    story.fill(ANN, "BUY", market, 60, 30, outcome=1, fee=0.6)
    story.entry(ANN, "MERGE", market, 50)
    result = books(story)
    assert position(result, market)["realized_cash_pnl"] == 25 - 20
    # 25 less fifty sixtieths of 30.60.
    assert position(result, market, "No")["realized_cash_pnl"] == Decimal("-0.5")
    assert position(result, market, "No")["shares_held"] == 10
    assert profit(result, market) == 50 - 20 - Decimal("30.6") + 10


def test_a_conversion_of_two_noes_is_worth_what_it_was(story: Story) -> None:
    one, two, three, four = family(story, 4, winner=2)
    story.fill(ANN, "BUY", one, 10, 7, outcome=1)
    story.fill(ANN, "BUY", two, 10, 8, outcome=1, fee=0.08)
    story.convert(ANN, (one, two), 10)
    result = books(story)
    assert position(result, one, "No")["converted_out_usd"] == 7
    assert position(result, two, "No")["shares_converted_out"] == 10
    # 15 dollars of NO less 10 dollars of cash, on two markets that were never traded.
    for market in (three, four):
        assert position(result, market)["shares_converted_in"] == 10
        assert position(result, market)["converted_in_usd"] == Decimal("2.5")
        assert position(result, market)["trades"] == 0
    assert [profit(result, market) for market in (one, two, three, four)] == [0, Decimal("-0.08"), 7.5, -2.5]
    assert all(row["is_conserved"] for row in result.wallet_positions)
    total = sum(row["cash_flow_usd"] for row in result.wallet_positions)
    assert total == 10 - 7 - Decimal("8.08")


def test_a_conversion_of_one_no_needs_no_cash(story: Story) -> None:
    one, two, three = family(story, 3, winner=None)
    story.fill(ANN, "BUY", one, 10, 4, outcome=1)
    story.fill(ANN, "BUY", two, 10, 4, outcome=1)
    story.convert(ANN, (two,), 10)
    result = books(story)
    assert position(result, two, "No")["shares_held"] == 0
    assert position(result, one, "No")["shares_held"] == 10
    assert position(result, one)["converted_in_usd"] == position(result, three)["converted_in_usd"] == 2


def test_a_conversion_of_all_noes_is_cash_alone(story: Story) -> None:
    markets = family(story, 3, winner=0)
    for market in markets:
        story.fill(ANN, "BUY", market, 10, 6, outcome=1)
    story.convert(ANN, markets, 10)
    result = books(story)
    assert {row["outcome"] for row in result.wallet_positions} == {"No"}
    assert sum(profit(result, market) for market in markets) == 20 - 18
    assert sum(row["converted_out_usd"] for row in result.wallet_positions) == 20


def test_a_conversion_that_could_be_two_is_flagged_and_not_guessed(story: Story) -> None:
    one, two, three, four = family(story, 4, winner=3)
    for market in (one, two, three):
        story.fill(ANN, "BUY", market, 10, 7, outcome=1)
    story.convert(ANN, (one, three), 10)
    result = books(story)
    assert {row["shares_converted_out"] for row in result.wallet_positions} == {0}
    assert {row["not_scored_reason"] for row in result.wallet_market_pnl} == {"ledger_break"}
    assert only(result.wallet_scores, period="all")["top_event_share"] is None


def test_a_conversion_is_concluded_from_those_before_it(story: Story) -> None:
    one, two, three, _ = family(story, 4, winner=3)
    for market in (one, two):
        story.fill(ANN, "BUY", market, 10, 7, outcome=1)
    story.convert(ANN, (one, two), 10)
    for market in (two, three):
        story.fill(ANN, "BUY", market, 10, 8, outcome=1)
    story.convert(ANN, (two, three), 10)
    assert [one.given for one in conversions(story.world())] == [(one, two), (two, three)]
    assert all(row["is_conserved"] for row in books(story).wallet_positions)


def test_a_conversion_that_names_no_market_could_be_of_any_event(story: Story) -> None:
    one, two, three = family(story, 3, winner=2)
    other = story.market(1, 0, event="another family")
    story.market(0, 1, event="another family")
    alone = story.market(1, 0)
    for market in (one, other, alone):
        story.fill(ANN, "BUY", market, 10, 7, outcome=1)
    story.convert(ANN, (one, two), 10, named=False)
    reasons = {row["market_id"]: row["not_scored_reason"] for row in books(story).wallet_market_pnl}
    assert reasons == {one: "ledger_break", other: "ledger_break", alone: None}


def test_shares_from_nowhere_are_named_and_charged_what_they_were_worth(story: Story) -> None:
    market = story.market(1, 0)
    story.fill(ANN, "SELL", market, 10, 9)
    result = books(story)
    row = position(result, market)
    assert (row["shares_transferred"], row["shares_held"], row["is_conserved"]) == (10, 0, False)
    assert profit(result, market) == -1


@pytest.mark.parametrize(
    ("payouts", "redeemed"),
    [
        ((1, 0), {"Yes": 10, "No": 4}),
        ((Fraction(1, 2), Fraction(1, 2)), {"Yes": 10, "No": 4}),
        ((Fraction(3, 10), Fraction(7, 10)), {"Yes": 10, "No": 4}),
    ],
)
def test_redeeming_takes_the_shares_and_changes_no_profit(
    story: Story, payouts: tuple[Fraction, Fraction], redeemed: dict[str, int]
) -> None:
    market = story.market(*payouts)
    story.fill(ANN, "BUY", market, 10, 6)
    story.fill(ANN, "BUY", market, 4, 1, outcome=1)
    kept = books(story)
    story.entry(ANN, "REDEEM", market, float(10 * payouts[0] + 4 * payouts[1]))
    result = books(story)
    assert {row["outcome"]: row["shares_redeemed"] for row in result.wallet_positions} == redeemed
    assert {row["shares_held"] for row in result.wallet_positions} == {0}
    assert all(row["is_conserved"] for row in result.wallet_positions)
    assert profit(result, market) == profit(kept, market)
    assert only(kept.wallet_market_pnl)["realized_cash_pnl"] == 0
    assert only(result.wallet_market_pnl)["realized_cash_pnl"] == profit(result, market)


def test_a_loser_thrown_away_is_realized(story: Story) -> None:
    market = story.market(0, 1)
    story.fill(ANN, "BUY", market, 10, 6)
    story.entry(ANN, "REDEEM", market, 0)
    row = position(books(story), market)
    assert (row["shares_redeemed"], row["realized_cash_pnl"], row["resolved_pnl"]) == (10, -6, -6)


def test_a_redemption_of_more_than_there_was_is_a_break(story: Story) -> None:
    market = story.market(1, 0)
    story.fill(ANN, "BUY", market, 10, 6)
    story.entry(ANN, "REDEEM", market, 15)
    row = position(books(story), market)
    assert (row["shares_redeemed"], row["shares_transferred"], row["is_conserved"]) == (15, 5, False)
    unclear = Story()
    half = unclear.market(Fraction(1, 2), Fraction(1, 2))
    unclear.fill(ANN, "BUY", half, 10, 6)
    unclear.entry(ANN, "REDEEM", half, 3)
    assert not position(books(unclear), half)["is_conserved"]


@pytest.mark.parametrize("kind", ["REWARD", "MAKER_REBATE", "TAKER_REBATE", "REFERRAL_REWARD", "YIELD"])
def test_income_is_the_wallets_and_no_markets(story: Story, kind: EntryType) -> None:
    market = story.market(1, 0)
    story.fill(ANN, "BUY", market, 10, 6)
    story.income(ANN, kind, 2.5)
    result = books(story)
    assert profit(result, market) == 4
    assert sum(row["pnl_usd"] for row in result.wallet_daily_pnl) == Decimal("6.5")


@pytest.mark.parametrize("kind", ["DEPOSIT", "WITHDRAWAL", "MIGRATION", "TIP"])
def test_money_that_only_moves_is_no_profit(story: Story, kind: EntryType) -> None:
    market = story.market(1, 0)
    story.fill(ANN, "BUY", market, 10, 6)
    story.income(ANN, kind, 100)
    assert sum(row["pnl_usd"] for row in books(story).wallet_daily_pnl) == 4


# ---- the curve and the figures, by hand ----


def test_the_curve_books_sales_at_once_and_the_rest_when_it_resolves(story: Story) -> None:
    market = story.market(0, 1)
    story.fill(ANN, "BUY", market, 100, 40)
    story.fill(ANN, "SELL", market, 50, 30)
    days = [row for row in books(story).wallet_daily_pnl if row["wallet_address"] == ANN]
    assert [(row["pnl_usd"], row["cumulative_pnl_usd"], row["drawdown_usd"]) for row in days] == [
        (10, 10, 0),
        (-20, -10, 20),
    ]


def test_later_purchases_do_not_change_the_days_before(story: Story) -> None:
    market = story.market()
    story.fill(ANN, "BUY", market, 100, 40)
    story.fill(ANN, "SELL", market, 50, 30)
    before = books(story).wallet_daily_pnl
    story.fill(ANN, "BUY", market, 100, 90, timestamp=RESOLVED)
    assert books(story).wallet_daily_pnl[: len(before)] == before


def test_figures_beside_omega_by_hand(story: Story) -> None:
    won = story.market(1, 0)
    story.fill(ANN, "BUY", won, 100, 40)
    lost = story.market(0, 1, resolved_at=RESOLVED + 86_400)
    story.fill(ANN, "BUY", lost, 50, 30)
    row = only(books(story, parameters=Parameters(omega_min_markets=2)).wallet_scores, period="all")
    assert row["profit_factor"] == 2
    assert row["max_drawdown_usd"] == 30
    assert row["mean_entry_price"] == pytest.approx(70 / 150)
    assert row["entry_edge"] == pytest.approx(100 / 150 - 70 / 150)
    assert row["brier_score"] == pytest.approx((0.6**2 + 0.6**2) / 2)
    assert row["top_event_share"] == pytest.approx(60 / 90)
    bought = Fraction(sum(fill.timestamp * shares for fill, shares in zip(story.fills, (100, 50), strict=True)), 150)
    left = Fraction(RESOLVED * 100 + (RESOLVED + 86_400) * 50, 150)
    assert row["mean_holding_days"] == pytest.approx(float((left - bought) / 86_400))
    # ln 2 over the square root of 2.
    assert row["p_value"] == pytest.approx(0.5 * math.erfc(math.log(2) / 2))
    assert row["q_value"] == row["p_value"]
    assert row["is_significant"] is False


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    # The worked example of their paper of 1995.
    values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
              0.7590, 1.0000]  # fmt: skip
    rows = discoveries([{"category": None, "period": "all", "p_value": value} for value in values])
    assert sum(row["is_significant"] for row in rows) == 4
    assert only(rows, p_value=0.0095)["q_value"] == pytest.approx(0.0095 * 15 / 4)
    assert only(rows, p_value=0.4262)["q_value"] == pytest.approx(0.4262 * 15 / 11)


# ---- laws that hold on any ledger ----


@st.composite
def stories(draw: st.DrawFn) -> tuple[Story, list[str]]:
    """A wallet's random doings in a negative-risk event and two markets of its own."""
    story = Story()
    return story, draw(ledgers()).tell(story)


@given(stories())
def test_every_share_is_accounted_for(made: tuple[Story, list[str]]) -> None:
    for row in books(made[0]).wallet_positions:
        came = row["shares_bought"] + row["shares_split"] + row["shares_converted_in"] + row["shares_transferred"]
        left = row["shares_sold"] + row["shares_merged"] + row["shares_redeemed"] + row["shares_converted_out"]
        assert came == left + row["shares_held"]
        assert row["shares_held"] >= 0
        assert row["is_conserved"] <= (row["shares_transferred"] == 0)


@given(stories())
def test_every_dollar_is_accounted_for(made: tuple[Story, list[str]]) -> None:
    """Markets add up to the wallet, whatever was converted between them."""
    story = made[0]
    result = books(story)
    paid = sum((1 if fill.side == "SELL" else -1) * fill.usdc_micro - fill.fee_micro for fill in story.fills)
    signs = {"SPLIT": -1, "MERGE": 1}
    paid += sum(signs.get(entry.type, 0) * entry.usdc_micro for entry in story.entries)
    paid += sum(one.entry.usdc_micro for one in conversions(story.world()) if one.given is not None)
    assert sum(row["cash_flow_usd"] for row in result.wallet_positions) == Decimal(paid).scaleb(-6)
    last = max(result.wallet_daily_pnl, key=lambda row: row["pnl_date"])
    income = sum(row["income_usd"] for row in result.wallet_daily_pnl)
    assert last["cumulative_pnl_usd"] == income + sum(map(booked, result.wallet_market_pnl))


@given(stories(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(made: tuple[Story, list[str]], random: Any) -> None:
    story = made[0]
    before = books(story)
    random.shuffle(story.fills)
    random.shuffle(story.entries)
    after = books(story)

    def ordered(result: FullTruth) -> list[list[str]]:
        tables = (result.wallet_positions, result.wallet_market_pnl, result.wallet_daily_pnl, result.wallet_scores)
        return [sorted(map(repr, table)) for table in tables]

    assert ordered(after) == ordered(before)


@given(stories(), st.data())
def test_redeemed_or_not_is_the_same_profit(made: tuple[Story, list[str]], data: st.DataObject) -> None:
    story, markets = made
    before = {row["market_id"]: row["resolved_pnl"] for row in books(story).wallet_market_pnl}
    for market in data.draw(st.lists(st.sampled_from(markets), unique=True)):
        story.entry(ANN, "REDEEM", market, data.draw(st.integers(0, 60)))
    result = books(story)
    after = {row["market_id"]: row["resolved_pnl"] for row in result.wallet_market_pnl}
    assert {market: after[market] for market in before} == before


@given(stories())
def test_no_day_ever_changes(made: tuple[Story, list[str]]) -> None:
    """The curve as of an earlier moment is the beginning of the curve."""
    story = made[0]
    whole = books(story).wallet_daily_pnl
    cut = RESOLVED - 86_400
    early = books(story, as_of=cut).wallet_daily_pnl
    assert whole[: len(early)] == early


# ---- a whole world ----


@pytest.fixture(scope="module")
def whole() -> tuple[World, FullTruth]:
    world = build_world(seed=21, wallets=50, markets=220, fills=6000)
    return world, full_truth(world, world.ends_at)


def test_the_last_day_is_the_sum_of_all(whole: tuple[World, FullTruth]) -> None:
    world, result = whole
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in result.wallet_market_pnl:
        total[row["wallet_address"]] += booked(row)
    for row in result.wallet_daily_pnl:
        total[row["wallet_address"]] += row["income_usd"] - row["pnl_usd"]
    assert set(total.values()) == {0}
    assert {row["wallet_address"] for row in result.wallet_daily_pnl} <= set(world.wallets)


def test_categories_are_as_deep_as_they_say(whole: tuple[World, FullTruth]) -> None:
    for row in whole[1].wallet_scores_by_category:
        if row["max_drawdown_usd"] is not None:
            assert 0 <= row["max_drawdown_usd"]
            assert row["top_event_share"] is None or 0 < row["top_event_share"] <= 1
            assert row["brier_score"] is None or 0 <= row["brier_score"] <= 1
        assert row["q_value"] is None or 0.999_999_999 * row["p_value"] <= row["q_value"] <= 1


def test_clear_conversions_are_the_true_ones(whole: tuple[World, FullTruth]) -> None:
    """What is concluded from the rows of the venue is what happened."""
    seen = conversions(whole[0])
    clear = [one for one in seen if one.given is not None]
    assert all(set(one.given or ()) == set(one.entry.converted) for one in clear)
    assert {len(one.given or ()) for one in clear} >= {1, 2, 3}
    assert 0 < len(clear) < len(seen)


def test_gifts_are_seen_only_where_the_ledger_runs_out(whole: tuple[World, FullTruth]) -> None:
    world, result = whole
    received = {(gift.wallet, gift.token_id) for gift in world.transfers if gift.shares_micro > 0}
    unclear = {(one.entry.wallet, one.entry.event_id) for one in conversions(world) if one.given is None}
    seen = {
        (row["wallet_address"], row["token_id"])
        for row in result.wallet_positions
        if row["shares_transferred"]
        and (row["wallet_address"], world.markets[row["market_id"]].event_id) not in unclear
    }
    assert seen
    assert seen <= received


def test_another_wallets_rows_change_nothing(story: Story) -> None:
    market = story.market(1, 0)
    story.fill(ANN, "BUY", market, 10, 6)
    alone = books(story, wallets=[ANN])
    story.fill(BOB, "BUY", market, 10, 4, outcome=1)
    story.entry(BOB, "SPLIT", market, 10)
    assert books(story, wallets=[ANN]).wallet_positions == alone.wallet_positions
