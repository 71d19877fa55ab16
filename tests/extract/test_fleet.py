"""Many wallets: who is read and who is not, in how many requests, in parts, and who names them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.polymarket import Polymarket
from extract.run import Due, DueWallet, Options, Run, Shard
from extract.settings import UsageError
from extract.supabase import Supabase
from extract.walks import Reading
from tests.extract.conftest import MemorySink, Outcome, Runner, carry_out, use
from tests.extract.test_run import busiest, fills_in_rows, fills_in_world
from tests.replica.server import RunningReplica, serve
from tests.replica.supabase import SupabaseProject, mount
from tests.replica.world import World, build_world

DAY = timedelta(days=1)


def moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def due_after(*outcomes: Outcome, every: timedelta = DAY) -> Due:
    """What the models would say after these runs."""
    coverage: dict[str, dict[str, tuple[datetime | None, datetime | None]]] = {}
    feed: datetime | None = None
    for outcome in outcomes:
        for walk in outcome.rows["walks"]:
            if walk["status"] != "completed":
                continue
            if walk["resource"] in ("trades", "activity"):
                newest = coverage.get(walk["scope"], {}).get(walk["resource"], (None, None))[1]
                newest = max(filter(None, (newest, walk["newest_item_at"])), default=None)
                coverage.setdefault(walk["scope"], {})[walk["resource"]] = (walk["venue_time"], newest)
            if walk["resource"] == "feed":
                feed = walk["venue_time"]
    wallets = []
    for wallet, tables in coverage.items():
        watermarks = [watermark for watermark, _ in tables.values() if watermark is not None]
        wallets.append(DueWallet(wallet, tables, due_at=min(watermarks) + every))
    return Due(tuple(wallets), feed_watermark=feed)


def traders_between(world: World, first: int, last: int) -> set[str]:
    """Wallets with a fill that the feed shows: no dust."""
    return {
        fill.wallet
        for fill in world.fills
        if first < fill.timestamp <= last and fill.visible_at <= last and fill.shares_micro >= 10_000
    }


def a_calm_half_hour(world: World, wallets: Iterable[str]) -> tuple[int, set[str]]:
    """A moment followed by half an hour in which some of the wallets trade, and few of them."""
    ours = set(wallets)
    moments = sorted({fill.timestamp for fill in world.fills if fill.timestamp < world.ends_at - 3600}, reverse=True)
    for at in moments:
        # Whoever traded within the overlap is named as well.
        named = traders_between(world, at - 900 - 1, at + 1800) & ours
        if 1 <= len(named) <= 4 and traders_between(world, at, at + 1800) & ours:
            return at, named
    raise AssertionError("the world has no such half hour")


def of_path(replica: RunningReplica, part: str) -> int:
    return sum(part in request.path for request in replica.requests)


# -- incremental -------------------------------------------------------------------------------------------------------


def test_only_wallets_that_the_feed_names_are_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    wallets = tuple(world.wallets)
    at, named = a_calm_half_hour(world, wallets)
    with serve(world, now=at) as running:
        use(running, monkeypatch)
        monkeypatch.setenv("SOURCES__POLYMARKET__LEADERBOARD_CATEGORIES", "[]")
        first = carry_out(Polymarket(), wallets=wallets)
        # The feed was read up to then.
        due = due_after(first)
        due = Due(due.wallets, feed_watermark=moment(at))
        running.clock.advance(1800)
        running.requests.clear()
        second = carry_out(Polymarket(), due=due)
        read = {walk["scope"] for walk in second.walks("trades")}
        assert read == named
        (feed,) = second.walks("feed")
        assert feed["status"] == "completed"
        assert feed["bound_from"] == moment(at - 900)
        assert feed["venue_time"] == moment(at + 1800)
        assert "feed" not in second.rows
        # Two walks a wallet, a page each; a page of the feed; the board.
        markets = of_path(running, "keyset")
        assert len(running.requests) == 2 * len(named) + 1 + 1 + markets
        assert any("the feed names" in note for note in second.run.tally.notes)
    fills = fills_in_rows(first.rows["activity"]) | fills_in_rows(second.rows["activity"])
    hidden = {fill.wallet for fill in world.fills if at - 900 < fill.timestamp <= at + 1800} - named
    clear = set(wallets) - hidden
    assert {key: count for key, count in fills.items() if key[1] in clear} == fills_in_world(world, clear, at + 1800)


def test_when_nothing_happened_nothing_is_loaded_but_that_it_was_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallets = tuple(world.wallets)
    with serve(world) as running:
        use(running, monkeypatch)
        first = carry_out(Polymarket(), wallets=wallets)
        # Nobody trades after the end of the story.
        running.clock.advance(6 * 3600)
        due = Due(due_after(first).wallets, feed_watermark=moment(running.clock.now()))
        running.clock.advance(1800)
        running.requests.clear()
        second = carry_out(Polymarket(), due=due)
        boards = 1 + len(Polymarket().settings.leaderboard_categories)
        assert len(running.requests) == boards + 1 < 60
    assert set(second.rows) == {"walks", "runs"}
    assert {walk["resource"] for walk in second.rows["walks"]} == {"leaderboard", "feed"}
    assert second.packages == 1
    assert second.run.tally.wallets_total == 0


def test_a_fleet_of_6605_costs_what_happened_and_not_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build_world(seed=12, wallets=180, markets=120, fills=4000)
    now = moment(world.ends_at)
    traded = next(
        (at, named)
        for at in range(world.ends_at, world.starts_at, -6 * 3600)
        if len(named := traders_between(world, at - 900 - 1, world.ends_at)) >= 120
    )
    at, named = moment(traded[0]), traded[1]
    addresses = [*world.wallets, *(f"0x{number:040x}" for number in range(6605 - len(world.wallets)))]
    both = {"trades": (at, None), "activity": (at, None)}
    wallets = tuple(DueWallet(address, both, due_at=now + DAY) for address in addresses)
    # All that is known of markets is due as well: it costs no more than its share.
    listed = tuple(condition for condition, market in world.markets.items() if market.listed)
    due = Due(wallets, listed, accounts=tuple(addresses), settlements=tuple(world.markets), feed_watermark=at)
    with serve(world) as running:
        use(running, monkeypatch)
        busy = carry_out(Polymarket(), due=due)
        assert {walk["scope"] for walk in busy.walks("trades")} == named
        assert 120 <= len(named)
        assert len(running.requests) < 400 + 2 * (len(named) - 120)
        running.clock.advance(1800)
        running.requests.clear()
        calm = carry_out(Polymarket(), due=Due(wallets, feed_watermark=now + timedelta(minutes=20)))
        assert len(running.requests) < 60
        assert set(calm.rows) == {"walks", "runs"}
        assert calm.run.tally.wallets_total == 0


def test_a_market_that_came_and_went_between_two_runs_is_there_with_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its trades, its event, from whose tags the category comes, and its resolution."""
    month = world.ends_at - 25 * 86_400
    short = min(
        (
            market
            for market in world.markets.values()
            if market.listed
            and market.resolved_at
            and month < market.opens_at
            and market.resolved_at < world.ends_at
            and any(fill.shares_micro >= 10_000 for fill in world.fills_by_condition.get(market.condition_id, ()))
        ),
        key=lambda market: market.resolved_at - market.opens_at,
    )
    assert short.closes_at - short.opens_at == 300, "it lived for five minutes"
    fills = world.fills_by_condition[short.condition_id]
    before = min(short.created_at, fills[0].timestamp) - 1
    wallets = tuple(world.wallets)
    with serve(world, now=before) as running:
        use(running, monkeypatch)
        first = carry_out(Polymarket(), wallets=wallets)
        assert short.condition_id not in {row["condition_id"] for row in first.rows["markets"]}
        later = max(short.resolved_at or 0, max(fill.visible_at for fill in fills)) + 1
        running.clock.set(later)
        known = due_after(first, every=timedelta(days=60)).wallets
        second = carry_out(Polymarket(), due=Due(known, feed_watermark=moment(before)))
    expected = {key: n for key, n in fills_in_world(world, wallets, later).items() if key[0] in hashes(fills)}
    read = {key: n for key, n in fills_in_rows(second.rows["activity"]).items() if key[0] in hashes(fills)}
    assert read == expected
    (row,) = [row for row in second.rows["markets"] if row["condition_id"] == short.condition_id]
    assert json.loads(row["payload"])["closed"] is True
    assert short.event_id in {row["id"] for row in second.rows["events"]}


def hashes(fills: Iterable[Any]) -> set[str]:
    return {fill.transaction_hash for fill in fills}


def test_a_wallet_is_read_when_it_is_due_by_the_venues_clock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    wallets = tuple(world.wallets)
    with serve(world) as running:
        use(running, monkeypatch)
        first = carry_out(Polymarket(), wallets=wallets)
        running.clock.advance(6 * 3600)
        known = due_after(first).wallets
        struck = {known[0].address, known[7].address}
        late = tuple(
            DueWallet(one.address, one.coverage, moment(running.clock.now()) if one.address in struck else one.due_at)
            for one in known
        )
        outcome = carry_out(Polymarket(), due=Due(late, feed_watermark=moment(running.clock.now())))
    assert {walk["scope"] for walk in outcome.walks("trades")} == struck


def test_without_a_checkpoint_the_feed_is_read_for_a_day_and_tells_nothing_of_older_wallets(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallets = tuple(world.wallets)
    with serve(world) as running:
        use(running, monkeypatch)
        first = carry_out(Polymarket(), wallets=wallets)
        known = due_after(first, every=timedelta(days=30)).wallets
        running.clock.advance(6 * 3600)
        fresh = carry_out(Polymarket(), due=Due(known))
        running.clock.advance(24 * 3600)
        stale = carry_out(Polymarket(), due=Due(known))
    day = traders_between(world, world.ends_at + 6 * 3600 - 86_400, world.ends_at) & set(wallets)
    assert {walk["scope"] for walk in fresh.walks("trades")} == day
    assert {walk["scope"] for walk in stale.walks("trades")} == set(wallets)


@pytest.mark.parametrize(("kind", "times"), [("error", 5), ("bad_json", 1)])
def test_a_feed_that_cannot_be_read_costs_a_full_sweep_and_is_told(
    world: World, replica: RunningReplica, run_polymarket: Runner, kind: str, times: int
) -> None:
    wallets = tuple(world.wallets)
    due = Due(due_after(run_polymarket(wallets=wallets)).wallets, feed_watermark=moment(world.ends_at))
    # The feed is the first that is asked of this route.
    replica.faults.add(kind, "/v2/trades", times=times)
    outcome = run_polymarket(due=due)
    assert {walk["scope"] for walk in outcome.walks("trades")} == set(wallets)
    assert [walk["status"] for walk in outcome.walks("feed")] == ["failed"]
    assert outcome.run.tally.notes == ["the feed could not be read: every wallet is asked"]
    assert not outcome.run.tally.failed_wallets


def test_a_feed_that_does_not_reach_back_far_enough_is_not_relied_on(world: World, run_polymarket: Runner) -> None:
    wallets = tuple(world.wallets)
    first = run_polymarket(wallets=wallets)
    due = Due(due_after(first).wallets, feed_watermark=moment(world.ends_at - 100 * 86_400))
    outcome = run_polymarket(due=due)
    (feed,) = outcome.walks("feed")
    assert "ends before it gets back to" in feed["error"]
    assert {walk["scope"] for walk in outcome.walks("trades")} == set(wallets)


def test_a_feed_that_is_longer_than_the_wallets_is_left_after_its_first_page(
    world: World, replica: RunningReplica, run_polymarket: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extract.polymarket.DATA_PAGE", 20)
    wallets = busiest(world, 2)
    known = due_after(run_polymarket(wallets=wallets)).wallets
    replica.requests.clear()
    due = Due(known, feed_watermark=moment(world.ends_at - 10 * 86_400))
    monkeypatch.setenv("SOURCES__POLYMARKET__LEADERBOARD_WALLETS", "1")
    outcome = run_polymarket(due=due, max_wallets=2)
    assert sum("user=" not in one.query for one in replica.requests if one.path.endswith("/v2/trades")) == 1
    assert any("more than the wallets take" in note for note in outcome.run.tally.notes)
    assert {walk["scope"] for walk in outcome.walks("trades")} == set(wallets)
    assert not outcome.rows.get("feed")


@pytest.mark.parametrize("how", ["stopped", "cut short"])
def test_the_feeds_checkpoint_waits_for_the_wallets_that_it_names(
    world: World,
    replica: RunningReplica,
    run_polymarket: Runner,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    wallets = tuple(world.wallets)
    known = due_after(run_polymarket(wallets=wallets)).wallets
    due = Due(known, feed_watermark=moment(world.ends_at - 5 * 86_400))
    if how == "cut short":
        outcome = run_polymarket(due=due, max_wallets=1)
        assert not outcome.walks("feed")
    else:
        sink, venue = MemorySink(), Polymarket()
        run = Run(venue, Options(command="test"), due, sink)

        def stopped(*_: Any) -> Iterator[Reading]:
            run.stop.set()
            return iter(())

        monkeypatch.setattr(venue, "wallet_readings", stopped)
        run.execute()
        venue.close()
        assert run.stop.is_set()
        assert not [walk for walk in sink.rows["walks"] if walk["resource"] == "feed"]
    whole = run_polymarket(due=due)
    assert [walk["status"] for walk in whole.walks("feed")] == ["completed"]


# -- backfill, shards, retries -----------------------------------------------------------------------------------------


def test_a_backfill_reads_what_was_never_completed_and_nothing_else(world: World, run_polymarket: Runner) -> None:
    whole, half, failed, new = busiest(world, 4)
    at = moment(world.ends_at)
    both = {"trades": (at, at), "activity": (at, at)}
    due = Due(
        (
            DueWallet(whole, both, due_at=at),
            DueWallet(half, both | {"activity": (None, None)}),
            DueWallet(failed, {"trades": (None, None), "activity": (None, None)}, is_failed=True),
        ),
        condition_ids=tuple(world.markets)[:3],
        settlements=tuple(world.markets)[:3],
        accounts=(whole, half),
    )
    outcome = run_polymarket(due=due, wallets=(new, half, whole, failed), backfill=True)
    read = {(walk["scope"], walk["resource"], walk["bound_from"]) for walk in outcome.rows["walks"]}
    assert {one for one in read if one[1] in ("trades", "activity")} == {
        (half, "activity", None),
        *((wallet, table, None) for wallet in (failed, new) for table in ("trades", "activity")),
    }
    assert not {"positions", "resolutions"} & {walk["resource"] for walk in outcome.rows["walks"]}
    assert outcome.run.tally.wallets_done == 3


def test_a_backfill_looks_up_the_markets_that_a_stopped_one_left(world: World, run_polymarket: Runner) -> None:
    listed = [condition for condition, market in world.markets.items() if market.listed][:5]
    outcome = run_polymarket(due=Due(named=tuple(listed)), wallets=busiest(world, 1), backfill=True)
    assert set(listed) <= {row["condition_id"] for row in outcome.rows["markets"]}


def test_only_what_failed_is_retried(world: World, run_polymarket: Runner) -> None:
    fine, failed, new = busiest(world, 3)
    at = moment(world.ends_at)
    both = {"trades": (at, at), "activity": (at, at)}
    due = Due((DueWallet(fine, both), DueWallet(failed, both, is_failed=True), DueWallet(new, {})))
    outcome = run_polymarket(due=due, retry_failed=True)
    assert {walk["scope"] for walk in outcome.walks("trades")} == {failed}
    assert not outcome.walks("leaderboard")
    assert set(run_polymarket(due=Due(), retry_failed=True).rows) == {"runs"}


def test_all_and_active_only(world: World, replica: RunningReplica, run_polymarket: Runner) -> None:
    wallets = tuple(world.wallets)
    known = due_after(run_polymarket(wallets=wallets)).wallets
    replica.clock.advance(6 * 3600)
    feed = moment(replica.clock.now())
    everybody = run_polymarket(due=Due(known, feed_watermark=feed), all_wallets=True)
    assert {walk["scope"] for walk in everybody.walks("trades")} == set(wallets)
    quiet = {one.address for one in known[::2]}
    some = tuple(DueWallet(one.address, one.coverage, None, is_active=one.address not in quiet) for one in known)
    active = run_polymarket(due=Due(some, feed_watermark=feed), active_only=True)
    assert {walk["scope"] for walk in active.walks("trades")} == set(wallets) - quiet


@given(st.integers(1, 9), st.lists(st.integers(0, 2**160 - 1).map("0x{:040x}".format), max_size=50))
def test_shards_part_the_wallets_without_overlap(parts: int, wallets: list[str]) -> None:
    for wallet in wallets:
        assert [Shard(number, parts).holds(wallet) for number in range(1, parts + 1)].count(True) == 1


def test_a_shard_is_the_same_on_every_computer() -> None:
    assert [number for number in range(1, 5) if Shard(number, 4).holds("0x" + "ab" * 20)] == [1]


def test_shards_read_everything_once(world: World, run_polymarket: Runner) -> None:
    wallets = tuple(world.wallets)
    due = Due(condition_ids=tuple(world.markets), settlements=tuple(world.markets))
    parts = [run_polymarket(due=due, wallets=wallets, shard=Shard(number, 3)) for number in (1, 2, 3)]
    read = [{walk["scope"] for walk in part.walks("trades")} for part in parts]
    assert set.union(*read) == set(wallets)
    assert sum(map(len, read)) == len(wallets)
    assert min(map(len, read)) > 0
    settled = [",".join(walk["scope"] for walk in part.walks("resolutions")).split(",") for part in parts]
    assert sorted(sum(settled, [])) == sorted(world.markets)


def test_a_walk_that_is_stopped_is_no_failure(
    world: World, replica: RunningReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink, venue = MemorySink(), Polymarket()
    run = Run(venue, Options(command="test", wallets=tuple(world.wallets)), Due(), sink)
    replica.faults.add("hang", "/v2/trades", seconds=0.3, skip=5)
    note = Run._note_walk

    def stop_after_the_first(self: Run, reading: Any, record: Any) -> None:
        note(self, reading, record)
        self.stop.set()

    monkeypatch.setattr(Run, "_note_walk", stop_after_the_first)
    run.execute()
    venue.close()
    assert {"completed", "interrupted"} >= {walk["status"] for walk in sink.rows["walks"]}
    assert not run.tally.failed_wallets
    assert run.tally.wallets_left > 0
    assert sink.rows["runs"][0]["status"] == "interrupted"


# -- markets -----------------------------------------------------------------------------------------------------------


def test_the_trades_of_a_market_are_everybodys_and_go_on_from_their_watermark(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = world.ends_at - 3 * 365 * 86_400
    traded = {
        market: fills
        for market, fills in world.fills_by_condition.items()
        if fills and fills[0].timestamp > floor and any(fill.timestamp > world.ends_at - 20 * 86_400 for fill in fills)
    }
    market = max(traded, key=lambda one: len(traded[one]))
    at = traded[market][-1].timestamp - 3600
    monkeypatch.setattr("extract.polymarket.DATA_PAGE", 50)
    with serve(world, now=at) as running:
        use(running, monkeypatch)
        first = carry_out(Polymarket(), markets=(market,))
        running.clock.set(world.ends_at)
        (walk,) = first.walks("market_trades")
        watermark = {market: (walk["venue_time"], walk["newest_item_at"])}
        running.requests.clear()
        second = carry_out(Polymarket(), due=Due(market_watermarks=watermark), markets=(market,))
        pages = of_path(running, "/v2/trades")
    shown = [fill for fill in traded[market] if fill.shares_micro >= 10_000]
    assert len({fill.wallet for fill in shown}) > 1
    seen = fills_in_rows(first.rows["trades"]) | fills_in_rows(second.rows["trades"])
    assert sum(seen.values()) == len(shown)
    assert len(second.rows["trades"]) < len(shown)
    assert pages < len(shown) / 50
    assert {row["condition_id"] for row in second.rows["markets"]} >= {market}


def test_what_is_due_by_the_clock_costs_a_bounded_number_of_requests(
    world: World, replica: RunningReplica, run_polymarket: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__POLYMARKET__DUE_REQUESTS", "8")
    monkeypatch.setattr("extract.polymarket.GAMMA_PAGE", 5)
    listed = tuple(condition for condition, market in world.markets.items() if market.listed)
    later = {listed[0]: moment(world.ends_at + 1), listed[1]: moment(world.ends_at)}
    wallet = world.wallets[busiest(world)[0]].address
    due = Due((DueWallet(wallet, {}),), condition_ids=listed, markets_due_at=later, settlements=listed)
    monkeypatch.setattr(Run, "_wallet_readings", lambda *_: iter(()))
    outcome = run_polymarket(due=due, max_wallets=1)
    # (8 - 2) // 4 look-ups of a market and its event, open and closed: one batch of five.
    assert {row["condition_id"] for row in outcome.rows["markets"]} == set(listed[1:6])
    assert len(outcome.walks("resolutions")) == 2


# -- who names wallets -------------------------------------------------------------------------------------------------


def users(count: int) -> dict[str, list[dict[str, Any]]]:
    addresses = ["0x" + f"{number:040X}" for number in range(count)]
    return {
        "profiles": [
            {"id": number, "trading_wallet_address": address, "email": "somebody@example.com"}
            for number, address in enumerate([*addresses, *addresses[:7]])
        ],
        "turnkey_wallets": [{"polymarket_account_address": None}, {"polymarket_account_address": "not an address"}],
        "clob_credentials": [{"polymarket_account_address": addresses[3], "api_secret": "hush"}],
        "user_wallets": [{"proxy_wallet": "0x" + "ab" * 20}],
    }


def test_supabase_names_wallets_page_by_page_and_tells_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = SupabaseProject(users(23), max_rows=10)
    with serve(world, mounts=[mount(project)]) as running:
        use(running, monkeypatch)
        monkeypatch.setenv("NEXT_PUBLIC_SUPABASE_URL", f"{running.url}/supabase")
        monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", project.key)
        outcome = with_sources()
    named = {row["wallet_address"].lower() for row in outcome.rows["wallets"]}
    # What names nobody, or nobody else, is not loaded.
    assert named == {f"0x{number:040x}" for number in range(23)} | {"0x" + "ab" * 20}
    # They may never have traded, and that is no fault.
    assert {walk["scope"] for walk in outcome.walks("trades") if walk["status"] == "completed"} >= named
    assert "not an address" not in {walk["scope"] for walk in outcome.walks("trades")}
    assert {tuple(sorted(row)) for row in map(payload, outcome.rows["wallets"])} == {("wallet_address",)}
    printed = repr(outcome.rows)
    assert "hush" not in printed
    assert "somebody@example.com" not in printed
    assert project.key not in printed


def payload(row: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(row["payload"]))


def with_sources() -> Outcome:
    supabase = Supabase.from_settings()
    assert supabase is not None
    venue, sink = Polymarket(), MemorySink()
    run = Run(venue, Options(command="test"), Due(), sink, supabase.readings())
    try:
        run.execute()
    finally:
        venue.close()
        supabase.close()
    return Outcome(run, sink.rows, sink.packages)


def test_a_source_that_fails_is_named_without_its_key_and_stops_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = users(5)
    del tables["user_wallets"]
    tables["clob_credentials"] = [{"another_column": "x"}]
    project = SupabaseProject(tables)
    with serve(world, mounts=[mount(project)]) as running:
        use(running, monkeypatch)
        monkeypatch.setenv("SOURCES__SUPABASE__URL", f"{running.url}/supabase")
        monkeypatch.setenv("SOURCES__SUPABASE__SERVICE_ROLE_KEY", project.key)
        outcome = with_sources()
        monkeypatch.setenv("SOURCES__SUPABASE__SERVICE_ROLE_KEY", "a-wrong-key-that-nobody-may-see")
        refused = with_sources()
    errors = {walk["scope"]: walk["error"] for walk in outcome.rows["walks"] if walk["status"] == "failed"}
    assert set(errors) == {"supabase:user_wallets.proxy_wallet", "supabase:clob_credentials.polymarket_account_address"}
    assert "404" in errors["supabase:user_wallets.proxy_wallet"]
    assert "does not exist" in errors["supabase:clob_credentials.polymarket_account_address"]
    assert len(outcome.walks("trades")) > 3
    failed = [walk for walk in refused.rows["walks"] if walk["status"] == "failed"]
    assert len(failed) == 4
    assert all("401" in walk["error"] for walk in failed)
    assert "nobody-may-see" not in repr(refused.rows)


def test_half_a_supabase_project_is_a_mistake_and_none_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SOURCES__SUPABASE__URL", "NEXT_PUBLIC_SUPABASE_URL", "SUPABASE_SERVICE_ROLE_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert Supabase.from_settings() is None
    monkeypatch.setenv("SOURCES__SUPABASE__URL", "https://project.invalid")
    with pytest.raises(UsageError, match="set SOURCES__SUPABASE__SERVICE_ROLE_KEY"):
        Supabase.from_settings()


def test_boards_that_name_nobody_new_are_not_loaded_again(world: World, run_polymarket: Runner) -> None:
    first = run_polymarket(top=40)
    assert first.rows["leaderboard"]
    second = run_polymarket(due=Due(due_after(first).wallets, feed_watermark=moment(world.ends_at)))
    assert not second.rows.get("leaderboard")
    assert {walk["status"] for walk in second.walks("leaderboard")} == {"completed"}
