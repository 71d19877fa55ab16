"""The truth on stories small enough to work out by hand, and its sums on a whole world."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from tests.replica.books import rounded
from tests.replica.model import EntryType
from tests.replica.truth import Truth, truth
from tests.replica.units import DAY, Parameters, Row, moment
from tests.replica.world import World, build_world
from tests.replica_tests.story import ANN, BOB, NOW, RESOLVED, Story, only


@pytest.fixture
def story() -> Story:
    return Story()


def score(result: Truth, wallet: str = ANN, period: str = "all") -> Row:
    return only(result.wallet_scores, wallet_address=wallet, period=period)


# ---- PnL of one market ----


def test_a_loser_never_redeemed_is_a_loss(story: Story) -> None:
    market = story.market(0, 1)
    story.fill(ANN, "BUY", market, 100, 40)
    result = story.truth()
    row = only(result.wallet_market_pnl)
    assert (row["resolved_pnl"], row["stake_usd"]) == (Decimal(-40), Decimal(40))
    assert row["is_scored"] and row["not_scored_reason"] is None
    assert score(result)["total_losses"] == Decimal(40)


def test_redeeming_changes_nothing(story: Story) -> None:
    market = story.market(1, 0)
    story.fill(ANN, "BUY", market, 100, 40)
    before = story.truth().wallet_scores
    story.entry(ANN, "REDEEM", market, 100)
    assert story.truth().wallet_scores == before
    assert score(story.truth())["total_gains"] == Decimal(60)


def test_fees_of_buys_and_sells_are_paid(story: Story) -> None:
    """Bought 100 for 40 + 1, sold 60 for 30 - 0.5, the other 40 pay 40: 69.5 - 41."""
    market = story.market(1, 0)
    story.fill(ANN, "BUY", market, 100, 40, fee=1)
    story.fill(ANN, "SELL", market, 60, 30, fee=0.5)
    result = story.truth()
    position = only(result.wallet_positions)
    assert position["resolved_pnl"] == Decimal("28.5")
    assert position["fees_usd"] == Decimal("1.5")
    assert position["cash_flow_usd"] == Decimal("-11.5")
    assert position["shares_held"] == Decimal(40)
    # 60 of 100 shares that cost 41 are gone: 30 - 0.5 - 24.6.
    assert position["realized_cash_pnl"] == Decimal("4.9")
    # The stake is what went in, the buy's fee included.
    assert only(result.wallet_market_pnl)["stake_usd"] == Decimal(41)
    assert score(result)["roi"] == pytest.approx(28.5 / 41)


def test_fifty_fifty_and_fractions_pay_their_part(story: Story) -> None:
    half = story.market(0.5, 0.5, ending="fifty_fifty")
    third = story.market(0.3, 0.7, ending="fractional")
    story.fill(ANN, "BUY", half, 10, 8)
    story.fill(ANN, "BUY", third, 10, 2)
    story.fill(ANN, "BUY", third, 10, 8.5, outcome=1)
    result = story.truth()
    pnl = {row["market_id"]: row["resolved_pnl"] for row in result.wallet_market_pnl}
    assert pnl == {half: Decimal(-3), third: Decimal("-0.5")}
    payouts = {row["contract_id"]: row["payout"] for row in result.contracts}
    assert payouts == {
        "1001": Decimal("0.5"),
        "1002": Decimal("0.5"),
        "2001": Decimal("0.3"),
        "2002": Decimal("0.7"),
    }
    assert {row["winning_outcome"] for row in result.markets} == {None}


def test_both_outcomes_of_a_market_are_one_observation(story: Story) -> None:
    market = story.market(1, 0)
    story.fill(ANN, "BUY", market, 10, 4)
    story.fill(ANN, "BUY", market, 10, 7, outcome=1)
    result = story.truth()
    assert len(result.wallet_positions) == 2
    assert only(result.wallet_market_pnl)["resolved_pnl"] == Decimal(-1)
    assert (score(result)["resolved_markets"], score(result)["losses"]) == (1, 1)
    assert score(result)["total_gains"] == 0


def test_what_never_pays_is_not_scored(story: Story) -> None:
    void = story.market(1, 0, ending="void", payouts=None)
    never = story.market(1, 0, ending="never", payouts=None, resolved_at=RESOLVED)
    story.markets[never] = replace(story.markets[never], resolved_at=None)
    still_open = story.market()
    unlisted = story.market(1, 0, listed=False)
    for market in (void, never, still_open, unlisted):
        story.fill(ANN, "BUY", market, 10, 4, is_taker=True)
    result = story.truth()
    reasons = {row["market_id"]: row["not_scored_reason"] for row in result.wallet_market_pnl}
    assert reasons == {
        void: "voided",
        never: "not_resolved",
        still_open: "not_resolved",
        unlisted: "market_unknown",
    }
    assert {row["resolved_pnl"] for row in result.wallet_market_pnl} == {None}
    statuses = {row["market_id"]: row["status"] for row in result.markets}
    assert statuses == {void: "voided", never: "closed", still_open: "open"}
    assert score(result)["omega_status"] == "no_resolved"
    assert score(result)["omega_ratio"] is None
    # The trade of the unknown market stays, nameless, under Uncategorized.
    trade = only(result.trades, market_id=unlisted)
    assert (trade["outcome"], trade["event_slug"]) == (None, None)
    categories = {row["category"] for row in result.wallet_scores_by_category}
    assert categories == {"Crypto", "Uncategorized"}


def test_open_positions_are_marked_to_the_newest_price(story: Story) -> None:
    market = story.market()
    story.fill(ANN, "BUY", market, 10, 4, is_taker=True)
    story.fill(BOB, "BUY", market, 10, 6.5, is_taker=True)
    result = story.truth(wallets=[ANN])
    row = only(result.wallet_positions)
    assert (row["status"], row["unrealized_pnl"]) == ("open", Decimal("2.5"))
    assert row["resolved_pnl"] is None
    assert only(result.contracts, outcome="No")["last_price"] == Decimal("0.35")


# ---- which rows count ----


def test_equal_fills_stay_two_and_prices_keep_nine_decimals(story: Story) -> None:
    market = story.market()
    first = story.fill(ANN, "BUY", market, 1283.535383, 1116.675784)
    story.fills.append(replace(first, sequence_id=first.sequence_id + 1, log_index=99))
    result = story.truth()
    assert [row["price"] for row in result.trades] == [Decimal("0.870000001")] * 2
    assert [row["usd_value"] for row in result.trades] == [Decimal("1116.675784")] * 2
    assert sorted(row["log_index"] for row in result.trades) == [1, 99]
    assert only(result.wallet_positions)["shares_bought"] == Decimal("2567.070766")


def test_rounding_is_half_away_from_zero() -> None:
    halves = [Fraction(n, 2) for n in (-3, -1, 1, 3, 5)]
    assert [rounded(half) for half in halves] == [-2, -1, 1, 2, 3]
    assert [rounded(Fraction(n, 3)) for n in (-2, -1, 1, 2)] == [-1, 0, 0, 1]


def test_rows_that_are_not_visible_yet_do_not_count(story: Story) -> None:
    market = story.market(1, 0)
    late = story.fill(ANN, "BUY", market, 10, 4)
    story.fills[-1] = replace(late, visible_at=late.timestamp + 600)
    assert story.truth(late.timestamp + 599).trades == []
    assert len(story.truth(late.timestamp + 600).trades) == 1


def test_only_synced_wallets_are_there(story: Story) -> None:
    market, other = story.market(1, 0), story.market(0, 1)
    story.fill(ANN, "BUY", market, 10, 4)
    story.fill(BOB, "BUY", other, 10, 4)
    result = story.truth(wallets=[BOB])
    for rows in (result.trades, result.traders, result.wallet_scores):
        assert {row["wallet_address"] for row in rows} == {BOB}
    assert [row["market_id"] for row in result.markets] == [other]
    assert [row["event_slug"] for row in result.events] == ["event-2"]


def test_a_ledger_entry_alone_makes_a_market_known(story: Story) -> None:
    market = story.market(1, 0)
    story.entry(ANN, "REDEEM", market, 0)
    result = story.truth()
    assert [row["market_id"] for row in result.markets] == [market]
    assert result.wallet_positions == [] and result.wallet_scores == []
    assert only(result.traders, wallet_address=ANN)["trades"] == 0


def test_nothing_after_as_of_counts(story: Story) -> None:
    early = story.result(ANN, 5, resolved_at=RESOLVED)
    story.result(ANN, -10, resolved_at=RESOLVED + 2 * DAY)
    story.fill(ANN, "BUY", early, 10, 4, timestamp=RESOLVED + 2, visible_at=RESOLVED + 2)
    full = score(story.truth())
    assert (full["wins"], full["losses"], full["total_gains"]) == (1, 1, Decimal(11))
    past = story.truth(as_of=RESOLVED + 1)
    assert (score(past)["wins"], score(past)["losses"]) == (1, 0)
    assert score(past)["total_gains"] == Decimal(5)
    assert score(past)["as_of"] == moment(RESOLVED + 1)
    # It is what a reader saw then, but for rows that the venue already showed at `now`.
    assert past.wallet_scores == story.truth(RESOLVED + 1).wallet_scores
    assert len(past.trades) == 3


def test_a_resolution_or_a_redemption_after_as_of_has_not_happened(story: Story) -> None:
    redeemed, later = story.result(ANN, 1), story.result(ANN, 1, resolved_at=RESOLVED + 2 * DAY)
    # For more than there was.
    story.entry(ANN, "REDEEM", redeemed, 100)
    redeemed_at = story.entries[0].timestamp
    reasons = {
        as_of: {r["market_id"]: r["not_scored_reason"] for r in table}
        for as_of in (redeemed_at - 1, NOW)
        for table in [story.truth(as_of=as_of).wallet_market_pnl]
    }
    assert reasons[redeemed_at - 1] == {redeemed: None, later: "not_resolved"}
    assert reasons[NOW] == {redeemed: "ledger_break", later: None}


def test_periods_go_by_the_moment_of_resolution(story: Story) -> None:
    """(as_of - 30 days, as_of]: the first second is out, the last is in."""
    for resolved_at in (NOW, NOW - 30 * DAY + 1, NOW - 30 * DAY):
        story.result(ANN, 1, resolved_at=resolved_at)
    result = story.truth()
    counts = {period: score(result, period=period)["resolved_markets"] for period in ("all", "365d", "90d", "30d")}
    assert counts == {"all": 3, "365d": 3, "90d": 3, "30d": 2}


# ---- broken and cut ledgers ----


def test_selling_more_than_was_bought_breaks_the_market(story: Story) -> None:
    market = story.result(ANN, 1)
    story.fill(ANN, "SELL", market, 0.000001, 0.0000005, outcome=1)
    result = story.truth()
    assert only(result.wallet_market_pnl)["not_scored_reason"] == "ledger_break"
    conserved = {row["outcome"]: row["is_conserved"] for row in result.wallet_positions}
    assert conserved == {"Yes": True, "No": False}


def test_selling_all_that_was_bought_breaks_nothing(story: Story) -> None:
    market = story.result(ANN, 1)
    story.fill(ANN, "SELL", market, 11, 9)
    result = story.truth()
    assert only(result.wallet_market_pnl)["resolved_pnl"] == Decimal(-1)
    assert only(result.wallet_market_pnl)["is_scored"]


def test_a_conversion_that_is_not_clear_breaks_every_market_of_its_event(story: Story) -> None:
    for _ in range(3):
        story.result(ANN, 1, event="77")
    story.result(BOB, 1, event="77")
    story.result(ANN, 1)
    story.entry(ANN, "CONVERSION", next(iter(story.markets)), 5)
    result = story.truth()
    scored = Counter((r["wallet_address"], r["is_scored"]) for r in result.wallet_market_pnl)
    assert scored == {(ANN, False): 3, (ANN, True): 1, (BOB, True): 1}


@pytest.mark.parametrize("kind", ["REDEEM", "REWARD", "MAKER_REBATE", "DEPOSIT"])
def test_other_entries_break_nothing(story: Story, kind: EntryType) -> None:
    market = story.result(ANN, 1)
    story.entry(ANN, kind, market, 10)
    assert only(story.truth().wallet_market_pnl)["is_scored"]


def test_a_score_is_withheld_when_too_much_stake_is_left_out(story: Story) -> None:
    """A quarter is the limit and still allowed; a cent more is not."""
    broken = story.result(ANN, 2, stake=10)
    story.entry(ANN, "REDEEM", broken, 100)
    story.result(ANN, 2, stake=30, tag="sports", category="Sports")
    row = score(story.truth())
    assert (row["omega_status"], row["withheld_reason"]) == ("no_losses", None)
    story.fill(ANN, "BUY", broken, 0.02, 0.01)
    result = story.truth()
    row = score(result)
    assert (row["omega_status"], row["withheld_reason"]) == ("withheld", "ledger_break")
    hidden = ("omega_ratio", "omega_low", "omega_high", "omega_shrunk", "win_rate", "roi", "rank")
    assert {row[column] for column in hidden} == {None}
    assert (row["resolved_markets"], row["total_gains"]) == (1, Decimal(2))
    by_category = {r["category"]: r["omega_status"] for r in result.wallet_scores_by_category if r["period"] == "all"}
    assert by_category == {"Crypto": "withheld", "Sports": "no_losses"}


def test_an_incomplete_history_withholds_everything(story: Story) -> None:
    for wallet in (ANN, BOB):
        story.result(wallet, 1)
    story.market()
    story.fill(ANN, "BUY", list(story.markets)[-1], 10, 4)
    result = story.truth(parameters=Parameters(incomplete_wallets=frozenset({ANN})))
    rows = [*result.wallet_scores, *result.wallet_scores_by_category]
    reasons = {(row["wallet_address"], row["withheld_reason"]) for row in rows}
    assert reasons == {(ANN, "history_incomplete"), (BOB, None)}


# ---- scores ----


def test_no_losses_is_a_status_and_not_a_number(story: Story) -> None:
    for _ in range(12):
        story.result(ANN, 5)
    row = score(story.truth())
    assert row["omega_status"] == "no_losses"
    assert row["omega_ratio"] is row["omega_low"] is row["omega_high"] is row["rank"] is None
    assert (row["wins"], row["win_rate"], row["roi"]) == (12, 1.0, 0.5)
    # Nobody lost anything: no pooled ratio to shrink to.
    assert row["omega_shrunk"] is None


def test_a_break_even_market_is_neither_win_nor_loss(story: Story) -> None:
    story.result(ANN, 0)
    row = score(story.truth())
    assert (row["resolved_markets"], row["wins"], row["losses"]) == (1, 0, 0)
    assert (row["omega_status"], row["effective_markets"]) == ("no_losses", None)


def test_too_few_has_a_ratio_but_no_rank(story: Story) -> None:
    for pnl in (4, 4, -2):
        story.result(ANN, pnl, stake=2 if pnl < 0 else 10)
    row = score(story.truth())
    assert (row["omega_status"], row["omega_ratio"], row["rank"]) == ("too_few", 4.0, None)
    enough = story.truth(parameters=Parameters(omega_min_markets=3))
    assert (score(enough)["omega_status"], score(enough)["rank"]) == ("ok", 1)


def test_interval_shrinkage_and_concentration_by_hand(story: Story) -> None:
    """Ann: gains 6 and 3, losses 1 and 2, stakes 10, 10, 1, 2. Bob adds a loss of 4 to the pool."""
    for pnl, stake in ((6, 10), (3, 10), (-1, 1), (-2, 2)):
        story.result(ANN, pnl, stake=stake)
    story.result(BOB, -4, stake=4)
    row = score(story.truth(parameters=Parameters(omega_min_markets=4)))
    assert row["omega_ratio"] == pytest.approx(3)
    se = math.sqrt((36 + 9) / 81 + (1 + 4) / 9)
    assert row["omega_low"] == pytest.approx(3 * math.exp(-1.96 * se))
    assert row["omega_high"] == pytest.approx(3 * math.exp(1.96 * se))
    mean_stake, pooled = 23 / 4, 9 / 7
    shrunk = (9 + 10 * mean_stake * pooled) / (3 + 10 * mean_stake)
    assert row["omega_shrunk"] == pytest.approx(shrunk)
    assert row["effective_markets"] == pytest.approx(12**2 / (36 + 9 + 1 + 4))
    assert row["roi"] == pytest.approx(6 / 23)
    assert row["win_rate"] == 0.5


def test_the_pool_is_of_the_same_category_and_period(story: Story) -> None:
    for pnl, resolved_at in ((4, RESOLVED), (-2, RESOLVED), (-6, NOW - 40 * DAY)):
        stake = 10 if pnl > 0 else -pnl
        story.result(ANN, pnl, stake=stake, resolved_at=resolved_at)
    story.result(BOB, -8, stake=8, tag="sports", category="Sports")
    rows = story.truth().wallet_scores_by_category
    crypto = only(rows, wallet_address=ANN, category="Crypto", period="30d")
    # Pool of the last 30 days of Crypto: 4 / 2; mean stake 6.
    assert crypto["omega_shrunk"] == pytest.approx((4 + 60 * 2) / (2 + 60))
    everything = only(rows, wallet_address=ANN, category="Crypto", period="all")
    assert everything["omega_shrunk"] == pytest.approx((4 + 60 * 0.5) / (8 + 60))


def test_only_losses_have_omega_zero_and_the_last_rank(story: Story) -> None:
    for pnl in (1, -1):
        story.result(ANN, pnl, stake=1)
    for _ in range(2):
        story.result(BOB, -1, stake=1)
    result = story.truth(parameters=Parameters(omega_min_markets=2))
    bob = score(result, BOB)
    assert (bob["omega_ratio"], bob["omega_low"], bob["omega_high"]) == (0.0, None, None)
    assert (bob["omega_status"], bob["rank"], score(result, ANN)["rank"]) == ("ok", 2, 1)


def test_ties_rank_by_profit_then_address(story: Story) -> None:
    for wallet, size in ((BOB, 1), (ANN, 1)):
        for pnl in (2 * size, -size):
            story.result(wallet, pnl, stake=size)
    limits = Parameters(omega_min_markets=2)
    result = story.truth(parameters=limits)
    assert (score(result, ANN)["rank"], score(result, BOB)["rank"]) == (1, 2)
    richer = Story()
    for wallet, size in ((ANN, 1), (BOB, 4)):
        for pnl in (2 * size, -size):
            richer.result(wallet, pnl, stake=size)
    result = richer.truth(parameters=limits)
    assert (score(result, ANN)["rank"], score(result, BOB)["rank"]) == (2, 1)


# ---- a whole world ----


@pytest.fixture(scope="module")
def whole() -> tuple[World, Truth]:
    world = build_world(seed=9, wallets=80, markets=400, fills=12_000)
    return world, truth(world, world.ends_at)


def test_categories_add_up_to_the_whole(whole: tuple[World, Truth]) -> None:
    _, result = whole
    columns = ("resolved_markets", "wins", "losses", "total_gains", "total_losses", "total_pnl")
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in result.wallet_scores_by_category:
        for column in columns:
            sums[row["wallet_address"], row["period"]][column] += row[column]
    assert len(sums) == len(result.wallet_scores)
    for row in result.wallet_scores:
        parts = sums[row["wallet_address"], row["period"]]
        assert {column: row[column] for column in columns} == {c: parts[c] for c in columns}
        assert row["total_gains"] - row["total_losses"] == row["total_pnl"]


def test_periods_contain_each_other(whole: tuple[World, Truth]) -> None:
    _, result = whole
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for row in result.wallet_scores_by_category:
        key = (row["wallet_address"], row["category"])
        counts[key][row["period"]] = row["resolved_markets"]
    for by_period in counts.values():
        ordered = [by_period[period] for period in ("30d", "90d", "365d", "all")]
        assert ordered == sorted(ordered)


def test_positions_hold_what_trades_say(whole: tuple[World, Truth]) -> None:
    _, result = whole
    held: Counter[tuple[str, str]] = Counter()
    cash: Counter[tuple[str, str]] = Counter()
    for row in result.trades:
        key, sign = (row["wallet_address"], row["token_id"]), 1 if row["side"] == "BUY" else -1
        held[key] += sign * row["shares"]
        cash[key] -= sign * row["usd_value"] + row["fee_usd"]
    assert held.keys() == {(row["wallet_address"], row["token_id"]) for row in result.wallet_positions if row["trades"]}
    for row in result.wallet_positions:
        key = (row["wallet_address"], row["token_id"])
        assert row["shares_bought"] - row["shares_sold"] == held[key]
        assert row["sold_usd"] - row["bought_usd"] - row["fees_usd"] == cash[key]


def test_traders_count_their_trades(whole: tuple[World, Truth]) -> None:
    world, result = whole
    assert sum(row["trades"] for row in result.traders) == len(result.trades)
    assert {row["wallet_address"] for row in result.traders} == set(world.wallets)


def test_every_status_and_reason_occurs(whole: tuple[World, Truth]) -> None:
    _, result = whole
    reasons = {row["not_scored_reason"] for row in result.wallet_market_pnl}
    assert reasons == {None, "market_unknown", "voided", "not_resolved", "ledger_break"}
    statuses = {row["omega_status"] for row in result.wallet_scores_by_category}
    assert statuses == {"ok", "too_few", "no_losses", "no_resolved", "withheld"}
    withheld = {row["wallet_address"] for row in result.wallet_scores if row["withheld_reason"]}
    assert 0 < len(withheld) < len(result.traders) / 4
    ranks = [row["rank"] for row in result.wallet_scores if row["period"] == "all" and row["rank"]]
    assert sorted(ranks) == list(range(1, len(ranks) + 1)) and len(ranks) > 30


def test_a_later_moment_only_adds_trades(whole: tuple[World, Truth]) -> None:
    world, result = whole
    earlier = truth(world, world.ends_at - 20 * DAY)
    keys = [
        Counter((row["transaction_hash"], row["log_index"]) for row in table)
        for table in (earlier.trades, result.trades)
    ]
    assert 0 < len(keys[0]) < len(keys[1]) and keys[0] <= keys[1]
    known = {row["market_id"] for row in earlier.markets}
    assert known < {row["market_id"] for row in result.markets}
