"""A run against the replica reads every row once, whatever the venue's manners, and says so when it could not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from extract.dome import Dome
from extract.polymarket import Polymarket
from extract.run import Due, DueWallet
from extract.settings import UsageError
from tests.extract.conftest import Outcome, Runner, carry_out, use
from tests.replica.books import Bookkeeper
from tests.replica.model import Fill
from tests.replica.server import RunningReplica, serve
from tests.replica.world import World

DUST_MICRO = 10_000


def fills_in_world(world: World, wallets: Iterable[str], now: int) -> Counter[tuple[str, ...]]:
    """Every fill that the venue shows at `now`, as its key in the feeds; equal fills count twice."""
    return Counter(
        (fill.transaction_hash, fill.wallet, fill.token_id, fill.side, str(fill.shares_micro), str(fill.timestamp))
        for wallet in wallets
        for fill in world.fills_by_wallet[wallet]
        if fill.visible_at <= now
    )


def fills_in_rows(rows: list[dict[str, Any]]) -> Counter[tuple[str, ...]]:
    return Counter(
        (
            row["transaction_hash"],
            row["proxy_wallet"],
            row["token_id"],
            row["side"],
            str(round(float(row["size"]) * 1e6)),
            row["timestamp"],
        )
        for row in rows
        if row.get("type", "TRADE") == "TRADE"
    )


def without_dust(fills: Counter[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
    return Counter({key: count for key, count in fills.items() if int(key[4]) >= DUST_MICRO})


def busiest(world: World, count: int = 1) -> list[str]:
    return sorted(world.wallets, key=lambda wallet: -len(world.fills_by_wallet[wallet]))[:count]


def due_after(outcome: Outcome) -> Due:
    """What the models would say is due after this run: each wallet from its completed walks."""
    coverage: dict[str, dict[str, tuple[datetime | None, datetime | None]]] = {}
    for walk in outcome.rows["walks"]:
        if walk["status"] == "completed" and walk["resource"] in ("trades", "activity", "orders"):
            coverage.setdefault(walk["scope"], {})[walk["resource"]] = (walk["venue_time"], walk["newest_item_at"])
    return Due(tuple(DueWallet(wallet, tables) for wallet, tables in coverage.items()))


def test_every_fill_of_every_wallet_is_read_once(world: World, run_polymarket: Runner) -> None:
    outcome = run_polymarket(wallets=tuple(world.wallets))
    truth = fills_in_world(world, world.wallets, world.ends_at)
    assert any(int(key[4]) < DUST_MICRO for key in truth), "the world must hold dust for this test to mean anything"
    assert fills_in_rows(outcome.rows["activity"]) == truth
    assert fills_in_rows(outcome.rows["trades"]) == without_dust(truth)
    assert {walk["status"] for walk in outcome.rows["walks"]} == {"completed"}
    assert len({(row["walk_id"], row["walk_position"]) for row in outcome.rows["trades"]}) == len(
        outcome.rows["trades"]
    )


def test_history_older_than_three_years_is_read(world: World, run_polymarket: Runner) -> None:
    floor = world.ends_at - 3 * 365 * 86_400
    old = [fill for fill in world.fills if fill.timestamp < floor]
    assert old, "the world must hold old fills"
    outcome = run_polymarket(wallets=tuple({fill.wallet for fill in old}))
    read = {row["transaction_hash"] for row in outcome.rows["activity"]}
    assert {fill.transaction_hash for fill in old} <= read


def test_every_ledger_entry_is_read_once(world: World, run_polymarket: Runner) -> None:
    outcome = run_polymarket(wallets=tuple(world.wallets))
    read = Counter((row["type"], row["transaction_hash"]) for row in outcome.rows["activity"] if row["type"] != "TRADE")
    truth = Counter(
        (entry.type, entry.transaction_hash) for entry in world.entries if entry.visible_at <= world.ends_at
    )
    assert read == truth
    assert {"DEPOSIT", "TIP", "SPLIT"} <= {entry_type for entry_type, _ in truth}


def test_every_market_and_event_named_is_fetched_open_or_closed(world: World, run_polymarket: Runner) -> None:
    outcome = run_polymarket(wallets=tuple(world.wallets))
    named = {row["condition_id"] for table in ("trades", "activity") for row in outcome.rows[table]} - {"", None}
    listed = {condition for condition in named if condition in world.markets and world.markets[condition].listed}
    fetched = [row["condition_id"] for row in outcome.rows["markets"]]
    assert Counter(fetched) == Counter(listed)
    assert {json.loads(row["payload"])["closed"] for row in outcome.rows["markets"]} == {True, False}
    assert outcome.run.tally.unlisted_markets == len(named - listed) > 0
    events = {world.markets[condition].event_id for condition in listed}
    assert Counter(row["id"] for row in outcome.rows["events"]) == Counter(events)


def test_look_ups_go_out_in_full_batches(world: World, run_polymarket: Runner, replica: RunningReplica) -> None:
    outcome = run_polymarket(wallets=tuple(world.wallets))
    named = {row["condition_id"] for table in ("trades", "activity") for row in outcome.rows[table]} - {"", None}
    closed = sum(json.loads(row["payload"])["closed"] for row in outcome.rows["markets"])
    asked = [request for request in replica.requests if request.path.endswith("/markets/keyset")]
    assert len(asked) == -(-len(named) // 100) + -(-(len(named) - closed) // 100)


def test_rows_that_arrive_while_a_walk_is_under_way_are_read_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallets = tuple(busiest(world, 5))
    start = world.ends_at - 40 * 86_400
    with serve(world, now=start, auto_advance=7200) as running:
        use(running, monkeypatch)
        first = carry_out(Polymarket(), wallets=wallets)
        second = carry_out(Polymarket(), due=due_after(first), wallets=wallets)
        running.clock.auto_advance = 0
        third = carry_out(Polymarket(), due=due_after(second), wallets=wallets)
        now = running.clock.now()
    seen: Counter[tuple[str, ...]] = Counter()
    for outcome in (first, second, third):
        seen |= fills_in_rows(outcome.rows["activity"])
    truth = fills_in_world(world, wallets, now)
    assert len(truth) > len(fills_in_world(world, wallets, start)), "something must have arrived meanwhile"
    assert seen == truth


def test_late_rows_older_than_the_watermark_are_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    late = next(fill for fill in reversed(world.fills) if is_overtaken(world, fill))
    with serve(world, now=late.visible_at - 1) as running:
        use(running, monkeypatch)
        first = carry_out(Polymarket(), wallets=(late.wallet,))
        assert late.transaction_hash not in {row["transaction_hash"] for row in first.rows["activity"]}
        running.clock.set(late.visible_at)
        second = carry_out(Polymarket(), due=due_after(first), wallets=(late.wallet,))
    assert late.transaction_hash in {row["transaction_hash"] for row in second.rows["activity"]}
    assert len(second.rows["activity"]) < len(first.rows["activity"]), "the second run must not be a full one"


def test_a_row_of_the_watermarks_own_second_that_is_shown_later_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where walks do not overlap."""
    monkeypatch.setenv("SOURCES__POLYMARKET__OVERLAP", "0")
    newest = max((fill for fill in world.fills if fill.shares_micro >= DUST_MICRO), key=lambda fill: fill.timestamp)
    later = replace(
        newest,
        sequence_id=max(row.sequence_id for row in [*world.fills, *world.entries]) + 1,
        transaction_hash="0x" + "5e" * 32,
        visible_at=world.ends_at + 1,
    )
    with serve(replace(world, fills=[*world.fills, later])) as running:
        use(running, monkeypatch)
        first = carry_out(Polymarket(), wallets=(later.wallet,))
        running.clock.set(world.ends_at + 1)
        second = carry_out(Polymarket(), due=due_after(first), wallets=(later.wallet,))
    (walk,) = first.walks("trades")
    assert walk["newest_item_at"] == datetime.fromtimestamp(later.timestamp, UTC)
    for table in ("trades", "activity"):
        assert later.transaction_hash not in {row["transaction_hash"] for row in first.rows[table]}
        assert later.transaction_hash in {row["transaction_hash"] for row in second.rows[table]}
        assert {row["timestamp"] for row in second.rows[table]} == {str(later.timestamp)}


def is_overtaken(world: World, late: Fill) -> bool:
    """True where a newer fill of the same wallet is shown before this one is."""
    return late.visible_at > late.timestamp and any(
        late.timestamp < fill.timestamp and fill.visible_at < late.visible_at
        for fill in world.fills_by_wallet[late.wallet]
    )


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("rate_limited", {"retry_after": 1}),
        ("rate_limited", {"retry_after": 1, "http_date": True}),
        ("rate_limited", {"body": "html"}),
        ("error", {"status": 500}),
        ("error", {"status": 503, "retry_after": 1, "body": "text"}),
        ("cut", {}),
        ("reset", {}),
        ("html", {}),
        ("hang", {"seconds": 5}),
    ],
)
def test_a_passing_fault_costs_nothing(
    world: World,
    replica: RunningReplica,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    options: dict[str, Any],
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_TIMEOUT", "1")
    wallet = busiest(world)[0]
    for path in ("/v2/trades", "/v2/activity", "/markets/keyset", "/events/keyset"):
        replica.faults.add(kind, path, times=1, **options)
    outcome = carry_out(Polymarket(), wallets=(wallet,))
    assert not outcome.run.tally.failures
    assert fills_in_rows(outcome.rows["activity"]) == fills_in_world(world, [wallet], world.ends_at)
    assert outcome.run.venue.requests_made == len(replica.requests)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("rate_limited", {}, "answered 429"),
        ("error", {"status": 502}, "answered 502"),
        ("cut", {}, "broke off"),
        ("reset", {}, "cannot be reached"),
        ("html", {}, "answered 200 without JSON (text/html)"),
        ("bad_json", {}, "truncated"),
        ("repeat", {}, "came twice"),
        ("stuck", {}, "leads back to an earlier page"),
        ("empty", {}, "known to have rows"),
    ],
)
def test_a_lasting_fault_fails_its_walk_and_no_other(
    world: World, replica: RunningReplica, kind: str, options: dict[str, Any], message: str
) -> None:
    struck, spared = busiest(world, 2)
    assert len(world.fills_by_wallet[struck]) > 1000, "the struck wallet must have several pages"
    first = carry_out(Polymarket(), wallets=(struck, spared))
    replica.faults.add(kind, "/v2/trades", query={"user": struck}, **options)
    outcome = carry_out(Polymarket(), due=due_after(first), wallets=(struck, spared), full=True)
    (failed,) = (walk for walk in outcome.rows["walks"] if walk["status"] == "failed")
    assert (failed["resource"], failed["scope"]) == ("trades", struck)
    assert message in failed["error"]
    assert outcome.run.tally.failed_wallets == {struck}
    assert outcome.run.tally.wallets_done == 1
    assert fills_in_rows(outcome.rows["activity"]) == fills_in_world(world, [struck, spared], world.ends_at)
    (record,) = outcome.rows["runs"]
    assert (record["status"], record["walks_failed"], record["wallets_failed"]) == ("failed", 1, 1)


def test_a_walk_that_breaks_off_keeps_what_it_read(world: World, replica: RunningReplica) -> None:
    wallet = busiest(world)[0]
    replica.faults.add("error", "/v2/trades", skip=1)
    outcome = carry_out(Polymarket(), wallets=(wallet,))
    (walk,) = outcome.walks("trades")
    assert (walk["status"], walk["pages"], walk["row_count"]) == ("failed", 1, 1000)
    assert len(outcome.rows["trades"]) == 1000


def test_an_empty_increment_of_an_active_wallet_is_refused(world: World, replica: RunningReplica) -> None:
    """The watermark would otherwise move past trades that nobody has seen."""
    wallet = busiest(world)[0]
    first = carry_out(Polymarket(), wallets=(wallet,))
    replica.faults.add("empty", "/v2/trades")
    outcome = carry_out(Polymarket(), due=due_after(first), wallets=(wallet,))
    (walk,) = outcome.walks("trades")
    assert walk["status"] == "failed"
    assert walk["bound_from"] is not None


def test_an_empty_answer_is_asked_for_again_before_it_is_refused(world: World, replica: RunningReplica) -> None:
    wallet = busiest(world)[0]
    first = carry_out(Polymarket(), wallets=(wallet,))
    replica.faults.add("empty", "/v2/trades", times=1)
    outcome = carry_out(Polymarket(), due=due_after(first), wallets=(wallet,))
    assert not outcome.run.tally.failures


def test_an_increment_starts_at_the_newest_known_row_less_the_overlap(world: World, run_polymarket: Runner) -> None:
    wallet = busiest(world)[0]
    first = run_polymarket(wallets=(wallet,))
    second = run_polymarket(due=due_after(first), wallets=(wallet,))
    newest = first.walks("trades")[0]["newest_item_at"]
    assert second.walks("trades")[0]["bound_from"] == newest - timedelta(minutes=15)
    assert 0 < len(second.rows["trades"]) < len(first.rows["trades"])


def test_since_and_full_set_the_lower_bound(world: World, run_polymarket: Runner) -> None:
    wallet = busiest(world)[0]
    first = run_polymarket(wallets=(wallet,))
    since = datetime.fromtimestamp(world.ends_at - 30 * 86_400, UTC)
    recent = run_polymarket(due=due_after(first), wallets=(wallet,), since=since)
    assert {walk["bound_from"] for walk in recent.rows["walks"][:2]} == {since}
    assert min(int(row["timestamp"]) for row in recent.rows["trades"]) >= since.timestamp()
    full = run_polymarket(due=due_after(first), wallets=(wallet,), full=True)
    assert len(full.rows["trades"]) == len(first.rows["trades"])


def test_the_leaderboard_names_wallets(world: World, run_polymarket: Runner) -> None:
    listed = {address for address, wallet in world.wallets.items() if wallet.on_leaderboard}
    outcome = run_polymarket()
    assert {walk["scope"] for walk in outcome.walks("trades")} == listed
    assert len(run_polymarket(top=3).walks("trades")) == 3
    assert len(run_polymarket(max_wallets=2).walks("trades")) == 2


def test_due_wallets_come_before_the_leaderboard(world: World, run_polymarket: Runner) -> None:
    unlisted = next(address for address, wallet in world.wallets.items() if not wallet.on_leaderboard)
    outcome = run_polymarket(due=Due((DueWallet(unlisted, {}),)), max_wallets=1)
    assert [walk["scope"] for walk in outcome.walks("trades")] == [unlisted]


def test_markets_that_are_due_are_fetched_again(world: World, run_polymarket: Runner) -> None:
    due = tuple(condition for condition, market in world.markets.items() if market.listed)[:3]
    wallet = busiest(world)[0]
    outcome = run_polymarket(due=Due((), due), wallets=(wallet,))
    assert set(due) <= {row["condition_id"] for row in outcome.rows["markets"]}


def test_positions_that_are_due_are_read_held_and_left(world: World, run_polymarket: Runner) -> None:
    wallets = busiest(world, 3)
    outcome = run_polymarket(due=Due(accounts=(*wallets[:2], "0x" + "9" * 40)), wallets=wallets)
    rows = outcome.rows["positions"]
    assert {walk["scope"] for walk in outcome.walks("positions")} == set(wallets[:2])
    assert {walk["status"] for walk in outcome.walks("positions")} == {"completed"}
    keeper = Bookkeeper(world, world.ends_at, world.markets)
    for wallet in wallets[:2]:
        listed = {condition_id for condition_id, market in world.markets.items() if market.listed}
        books = [book for books in keeper.books(wallet, world.ends_at).markets.values() for book in books]
        expected = {b.market.token_ids[b.outcome] for b in books if b.market.condition_id in listed}
        assert expected <= {row["token_id"] for row in rows if row["proxy_wallet"] == wallet}
    assert {row["status"] for row in rows} >= {"OPEN", "CLOSED"}
    keys = [(row["proxy_wallet"], row["token_id"]) for row in rows]
    assert len(set(keys)) == len(keys)


def test_positions_of_several_pages_are_one_walk(
    world: World, run_polymarket: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet = busiest(world)[0]
    whole = run_polymarket(due=Due(accounts=(wallet,)), wallets=(wallet,)).rows["positions"]
    monkeypatch.setattr("extract.polymarket.DATA_PAGE", 7)
    paged = run_polymarket(due=Due(accounts=(wallet,)), wallets=(wallet,))
    (walk,) = paged.walks("positions")
    assert walk["pages"] > 4
    assert walk["row_count"] == len(paged.rows["positions"]) == len(whole)
    assert {row["token_id"] for row in paged.rows["positions"]} == {row["token_id"] for row in whole}


def test_a_standing_is_of_all_time_and_may_be_none(world: World, run_polymarket: Runner) -> None:
    on_board = next(wallet for wallet in busiest(world, 40) if world.wallets[wallet].on_leaderboard)
    off_board = next(address for address, wallet in world.wallets.items() if not wallet.on_leaderboard)
    wallets = (on_board, off_board)
    outcome = run_polymarket(due=Due(accounts=wallets), wallets=wallets)
    (row,) = outcome.rows["standings"]
    (standing,) = [one for one in run_polymarket(top=40).rows["leaderboard"] if one["user_id"] == on_board]
    assert row["user_id"] == on_board
    assert row["pnl"] == str(json.loads(standing["payload"])["pnl"])
    assert {walk["scope"]: walk["row_count"] for walk in outcome.walks("standings")} == {on_board: 1, off_board: 0}
    assert outcome.run.tally.wallets_done == 2


def test_settlements_are_asked_for_twenty_at_a_time(world: World, run_polymarket: Runner) -> None:
    conditions = tuple(world.markets)[:45]
    wallet = busiest(world)[0]
    before = run_polymarket(wallets=(wallet,)).run.venue.requests_made
    outcome = run_polymarket(due=Due(settlements=conditions), wallets=(wallet,))
    assert outcome.run.venue.requests_made == before + 3
    scopes = [walk["scope"].split(",") for walk in outcome.walks("resolutions")]
    assert sorted(scopes) == sorted(list(conditions[start : start + 20]) for start in (0, 20, 40))
    rows = {row["condition_id"]: row for row in outcome.rows["resolutions"]}
    assert set(rows) == {one for one in conditions if world.markets[one].listed}
    for condition_id, row in rows.items():
        market = world.markets[condition_id]
        if row["status"] == "resolved" and market.payouts is not None:
            assert json.loads(row["payouts"]) == [int(payout * 1_000_000) for payout in market.payouts]
    assert any(row["payouts"] is None for row in rows.values())


def test_failed_positions_fail_no_wallet(world: World, replica: RunningReplica, run_polymarket: Runner) -> None:
    wallet = busiest(world)[0]
    replica.faults.add("error", "/v2/positions", query={"status": "CLOSED"})
    outcome = run_polymarket(due=Due(accounts=(wallet,)), wallets=(wallet,))
    assert [walk["status"] for walk in outcome.walks("positions")] == ["failed"]
    assert [walk["status"] for walk in outcome.walks("standings")] == ["completed"]
    assert outcome.run.tally.walks_failed == 1
    assert outcome.run.tally.wallets_done == 1
    assert not outcome.run.tally.failed_wallets
    assert outcome.rows["runs"][0]["status"] == "failed"


def test_a_venue_that_ignores_the_filter_fails_the_walk(world: World, replica: RunningReplica) -> None:
    stranger, wallet = busiest(world, 2)
    venue = Polymarket()
    reading = next(iter(venue.wallet_readings(wallet, dict.fromkeys(venue.wallet_tables, start_of_all()))))
    strange = next(iter(venue.wallet_readings(stranger, dict.fromkeys(venue.wallet_tables, start_of_all()))))
    sink_rows, walks = walk_with(venue, reading, pages=strange.pages)
    assert not sink_rows
    assert "was given proxy_wallet" in walks[0]["error"]


def start_of_all() -> Any:
    from extract.venue import WalkStart

    return WalkStart(None, False)


def walk_with(venue: Polymarket, reading: Any, **changes: Any) -> tuple[list[Any], list[dict[str, Any]]]:
    from dataclasses import replace

    from extract.walks import Walker

    walker = Walker("run", lambda *_: None)
    tables = list(walker.walk(replace(reading, **changes)))
    venue.close()
    return tables[:-1], tables[-1][1].to_pylist()


def test_a_host_that_is_down_is_given_up_on_quickly(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(world) as running:
        use(running, monkeypatch)
    outcome = carry_out(Polymarket(), wallets=tuple(world.wallets))
    assert outcome.run.tally.failed_wallets == set(world.wallets)
    assert outcome.run.venue.requests_made < 60, "forty wallets must not cost forty cycles of retries"
    assert all("SOURCES__POLYMARKET__DATA_API_URL" in error for error in outcome.run.tally.failures)


def test_a_run_can_be_stopped(world: World, replica: RunningReplica) -> None:
    from extract.run import Options, Run
    from tests.extract.conftest import MemorySink

    sink = MemorySink()
    venue = Polymarket()
    run = Run(venue, Options(command="test", wallets=tuple(world.wallets)), Due(), sink)
    run.stop.set()
    run.execute()
    venue.close()
    (record,) = sink.rows["runs"]
    assert (record["status"], record["walks"], len(replica.requests)) == ("interrupted", 0, 0)


# -- Dome


def dome_fills(rows: list[dict[str, Any]]) -> Counter[tuple[str, ...]]:
    return Counter(
        (row["tx_hash"], row["user_address"], row["token_id"], row["side"], row["shares"], row["timestamp"])
        for row in rows
    )


def test_dome_every_fill_is_read_once(world: World, run_dome: Runner) -> None:
    outcome = run_dome(wallets=tuple(world.wallets))
    assert not outcome.run.tally.failures
    assert dome_fills(outcome.rows["orders"]) == fills_in_world(world, world.wallets, world.ends_at)
    generations = {row["log_index"] is None for row in outcome.rows["orders"]}
    assert generations == {True, False}, "both generations of rows must be there"


def test_dome_markets_are_not_cut_at_ten(world: World, run_dome: Runner) -> None:
    outcome = run_dome(wallets=tuple(world.wallets))
    named = {row["condition_id"] for row in outcome.rows["orders"]} - {"", None}
    listed = {condition for condition in named if condition in world.markets and world.markets[condition].listed}
    assert Counter(row["condition_id"] for row in outcome.rows["markets"]) == Counter(listed)
    assert len(listed) > 100


def test_dome_without_a_key_says_which_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCES__DOME__API_KEY", raising=False)
    monkeypatch.delenv("DOME_API_KEY", raising=False)
    with pytest.raises(UsageError, match="SOURCES__DOME__API_KEY"):
        Dome()


def test_dome_accepts_the_short_name_of_its_key(
    world: World, replica: RunningReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCES__DOME__API_KEY")
    monkeypatch.setenv("DOME_API_KEY", replica.dome_key)
    assert not carry_out(Dome(), wallets=(busiest(world)[0],)).run.tally.failures


def test_a_refused_key_is_told_without_the_key(
    world: World, replica: RunningReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "a-key-that-nobody-may-see"
    monkeypatch.setenv("SOURCES__DOME__API_KEY", secret)
    outcome = carry_out(Dome(), wallets=(busiest(world)[0],))
    (walk,) = outcome.walks("orders")
    assert "403" in walk["error"]
    assert secret not in repr(outcome.rows)


def test_dome_has_no_leaderboard_and_says_so(run_dome: Runner) -> None:
    with pytest.raises(UsageError, match="--wallets"):
        run_dome()
