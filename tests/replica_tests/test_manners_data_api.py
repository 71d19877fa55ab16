"""The Data API's manners. Where a quirk bites, a naive client is shown to lose or double rows."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.replica import data_api
from tests.replica.model import Fill, Wallet
from tests.replica.server import RunningReplica, serve
from tests.replica.source import CTF_EXCHANGE_V2
from tests.replica.world import World
from tests.replica_tests import tiny
from tests.replica_tests.tiny import (
    ALICE,
    BOB,
    CAROL,
    DAY,
    NOW,
    Json,
    data_pages,
    data_rows,
    get,
    hashes,
)

EVERYTHING = {"user": ALICE, "taker_only": "false", "start": 1, "limit": 1000}


def visible_trades(world: World, wallet: str = ALICE, now: int = NOW) -> list[Fill]:
    """What a complete walk of the wallet's trades must bring, newest first. Dust is not shown."""
    fills = world.visible_fills(wallet, now)
    shown = [fill for fill in fills if fill.timestamp <= now and fill.shares_micro >= 10_000]
    return shown[::-1]


def url(replica: RunningReplica, route: str) -> str:
    return f"{replica.data_api_url}/v2/{route}"


def decoded(cursor: str) -> Json:
    value: Json = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return value


# -- pages ------------------------------------------------------------------------------------


def test_a_walk_brings_every_row_once_in_feed_order(replica: RunningReplica, tiny_world: tuple[World, Json]) -> None:
    expected = [fill.transaction_hash for fill in visible_trades(tiny_world[0])]
    for limit in (1000, 333):
        assert hashes(data_rows(replica, "trades", **(EVERYTHING | {"limit": limit}))) == expected


def test_the_envelope_and_the_cursor_look_like_the_live_ones(replica: RunningReplica) -> None:
    body = get(url(replica, "trades"), user=ALICE, limit=2).json()
    assert list(body) == ["data", "pagination"]
    assert list(body["pagination"]) == ["limit", "offset", "has_more", "next_cursor"]
    assert (
        list(body["data"][0])
        == (
            "proxy_wallet side token_id condition_id size price timestamp title slug icon event_slug"
            " outcome outcome_index name pseudonym bio profile_image profile_image_optimized"
            " transaction_hash"
        ).split()
    )
    cursor = body["pagination"]["next_cursor"]
    assert "=" not in cursor
    token = decoded(cursor)
    assert token["data"]["type"] == "trades"
    last = body["data"][-1]
    params = token["data"]["params"]
    assert params | {"sq": ""} == {"l": 2, "ts": last["timestamp"], "sq": "", "d": 2}
    assert int(params["sq"]) > 2**53  # A client that reads it as a float cannot rebuild it.
    assert len(token["sig"]) == 32


def test_the_last_page_says_so(replica: RunningReplica) -> None:
    pagination = get(url(replica, "trades"), user=BOB, taker_only="false").json()["pagination"]
    assert pagination == {"limit": 100, "offset": 0, "has_more": False, "next_cursor": None}


@pytest.mark.parametrize("name", ["next_cursor", "after_cursor", "nextCursor", "page"])
def test_a_wrong_cursor_name_gives_page_one_again(
    replica: RunningReplica, tiny_world: tuple[World, Json], name: str
) -> None:
    walk = EVERYTHING | {"limit": 100}
    pages = list(data_pages(replica, "trades", cursor_name=name, most=5, **walk))
    assert all(page == pages[0] for page in pages)
    naive = [tag for page in pages for tag in hashes(page)]
    # 500 rows seem to have come, and 400 of them are repeats; most of the history is missing.
    assert len(naive) == 500
    assert len(set(naive)) <= 100 < len(visible_trades(tiny_world[0]))


@pytest.mark.parametrize("cursor", ["", "x", "eyJhIjoxfQ", "!!!", "bm90IGpzb24"])
def test_a_malformed_cursor_is_refused(replica: RunningReplica, cursor: str) -> None:
    answer = get(url(replica, "trades"), user=ALICE, cursor=cursor)
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "cursor"


def test_a_cursor_is_signed_and_belongs_to_its_route(replica: RunningReplica) -> None:
    page = get(url(replica, "trades"), user=ALICE, limit=2).json()
    cursor = page["pagination"]["next_cursor"]
    assert get(url(replica, "activity"), user=ALICE, cursor=cursor).status_code == 400
    token = decoded(cursor)
    token["data"]["params"]["l"] = 1000
    forged = base64.urlsafe_b64encode(json.dumps(token).encode()).decode().rstrip("=")
    assert get(url(replica, "trades"), user=ALICE, cursor=forged).status_code == 400


def test_offset_is_refused(replica: RunningReplica) -> None:
    for offset in (0, 100):
        answer = get(url(replica, "trades"), user=ALICE, offset=offset)
        assert answer.status_code == 400
        assert answer.json()["parameter"] == "offset"


def test_limit_is_clamped_in_silence(replica: RunningReplica, tiny_world: tuple[World, Json]) -> None:
    body = get(url(replica, "trades"), **(EVERYTHING | {"limit": 5000})).json()
    assert len(body["data"]) == 1000
    assert body["pagination"]["limit"] == 1000
    # "Fewer rows than I asked for, so this was the last page" loses the rest of the history.
    assert len(body["data"]) < len(visible_trades(tiny_world[0]))
    assert body["pagination"]["has_more"]
    default = get(url(replica, "trades"), user=ALICE).json()
    assert len(default["data"]) == default["pagination"]["limit"] == 100
    for limit in ("-1", "many"):
        assert get(url(replica, "trades"), user=ALICE, limit=limit).status_code == 400


def test_activity_refuses_a_limit_above_its_maximum(replica: RunningReplica) -> None:
    assert get(url(replica, "activity"), user=ALICE, limit=1000).status_code == 200
    answer = get(url(replica, "activity"), user=ALICE, limit=1001)
    assert (answer.status_code, answer.json()["parameter"]) == (400, "limit")


def test_the_cursor_carries_the_page_size_but_not_the_filters(replica: RunningReplica) -> None:
    walk = {"user": ALICE, "taker_only": "false"}
    first = get(url(replica, "trades"), **walk, limit=10).json()
    cursor = first["pagination"]["next_cursor"]
    second = get(url(replica, "trades"), **walk, limit=500, cursor=cursor).json()
    assert len(second["data"]) == 10
    # Without the filters, the walk silently goes on in another feed: everybody's takers.
    strayed = get(url(replica, "trades"), cursor=cursor).json()
    assert strayed["data"] != second["data"]


# -- what is shown ----------------------------------------------------------------------------


def test_taker_only_is_the_default(replica: RunningReplica, tiny_world: tuple[World, Json]) -> None:
    naive = data_rows(replica, "trades", user=ALICE, start=1)
    shown = visible_trades(tiny_world[0])
    assert hashes(naive) == [fill.transaction_hash for fill in shown if fill.is_taker]
    assert len(naive) < len(shown)
    # A wallet that only makes has no history at all for the naive client.
    assert data_rows(replica, "trades", user=BOB) == []
    assert len(data_rows(replica, "trades", user=BOB, taker_only="false")) == 30
    assert len(data_rows(replica, "trades", user=BOB, takerOnly="false")) == 30


def test_dust_is_hidden_from_trades_but_not_from_activity(replica: RunningReplica, known: Json) -> None:
    dust = known["dust"].transaction_hash
    for amount in ({}, {"filter_amount": 0}, {"filter_amount": "0.01"}):
        assert dust not in hashes(data_rows(replica, "trades", **EVERYTHING, **amount))
    small = data_rows(replica, "trades", **EVERYTHING, filter_amount="0.001")
    assert dust in hashes(small)
    assert dust in hashes(data_rows(replica, "activity", user=ALICE, limit=1000))


def test_filter_amount_counts_shares_or_cash(replica: RunningReplica, known: Json) -> None:
    big = known["noise"].transaction_hash
    assert hashes(data_rows(replica, "trades", **EVERYTHING, filter_amount=1200)) == [big]
    cash = {"filter_type": "CASH", "filter_amount": 1200}
    assert data_rows(replica, "trades", **EVERYTHING, **cash) == []
    assert get(url(replica, "trades"), user=ALICE, filter_type="USD").status_code == 400


@pytest.mark.parametrize("floor", [{}, {"start": 0}])
@pytest.mark.parametrize("route", ["trades", "activity"])
def test_history_ends_three_years_ago_unless_start_is_one(
    replica: RunningReplica, known: Json, route: str, floor: Json
) -> None:
    walk = {"user": ALICE, "limit": 1000}
    old = known["old"].transaction_hash
    assert old not in hashes(data_rows(replica, route, **walk, **floor))
    assert old in hashes(data_rows(replica, route, **walk, start=1))


def test_start_and_end_are_inclusive(replica: RunningReplica, known: Json) -> None:
    first, second = known["twins"]
    window = {"start": first.timestamp, "end": second.timestamp}
    rows = data_rows(replica, "trades", user=ALICE, **window)
    assert hashes(rows) == [first.transaction_hash] * 2
    assert len(data_rows(replica, "activity", user=ALICE, **window)) == 2


def test_start_and_end_count_only_with_a_user(replica: RunningReplica, known: Json) -> None:
    market = {"condition": known["open"], "limit": 10}
    plain = get(url(replica, "trades"), **market).json()["data"]
    bounded = get(url(replica, "trades"), **market, start=1, end=NOW - 90 * DAY).json()["data"]
    assert bounded == plain


def test_a_markets_feed_reaches_three_years_back_whatever_is_asked(replica: RunningReplica, known: Json) -> None:
    assert data_rows(replica, "trades", condition=known["legacy"], start=1) == []
    assert len(data_rows(replica, "trades", user=ALICE, condition=known["legacy"], start=1)) == 1


def test_the_bare_feed_is_this_month_and_the_last(replica: RunningReplica) -> None:
    february = 1_769_904_000
    assert data_api.previous_month_start(NOW) == february
    rows = data_rows(replica, "trades", taker_only="false", limit=1000)
    assert rows and min(row["timestamp"] for row in rows) >= february
    # Bob's trades of early February are in it, other wallets' rows too.
    assert {row["proxy_wallet"] for row in rows} == {ALICE, BOB}


def test_condition_lists(replica: RunningReplica, known: Json) -> None:
    both = f"{known['fees']},{known['combo']}"
    for name in ("condition", "condition_id", "conditionId"):
        rows = data_rows(replica, "trades", **{name: both})
        assert {row["condition_id"] for row in rows} == {known["fees"], known["combo"]}
    many = ",".join(tiny.hex_id("no such market", number) for number in range(21))
    assert get(url(replica, "trades"), condition=many).status_code == 400
    assert data_rows(replica, "trades", condition=many.rsplit(",", 1)[0]) == []
    malformed = get(url(replica, "trades"), condition="0x12").json()
    assert malformed["parameter"] == "condition" and "0x12" in malformed["error"]


def test_event_lists(replica: RunningReplica, known: Json) -> None:
    assert data_rows(replica, "trades", event_id=known["family_event"]) == []
    first_event = "16000"
    rows = data_rows(replica, "trades", event_id=first_event)
    assert {row["condition_id"] for row in rows} == {known["open"]}
    both = {"condition": known["open"], "event_id": first_event}
    assert get(url(replica, "trades"), **both).status_code == 400


def test_side_filters(replica: RunningReplica, known: Json) -> None:
    rows = data_rows(replica, "trades", **EVERYTHING, side="SELL")
    assert hashes(rows) == [known["fee_sell"].transaction_hash]
    assert get(url(replica, "trades"), side="HOLD").status_code == 400


def test_contracts_and_bad_addresses_are_refused(replica: RunningReplica) -> None:
    checksummed = "0xE111180000d2663C0091e4f400237545B87B996B"
    assert checksummed.lower() == CTF_EXCHANGE_V2
    for user in (CTF_EXCHANGE_V2, checksummed, "0x12", "alice"):
        for route in ("trades", "activity", "positions"):
            answer = get(url(replica, route), user=user)
            assert (answer.status_code, answer.json()["parameter"]) == (400, "user")


def test_addresses_are_not_case_sensitive(replica: RunningReplica) -> None:
    upper = "0x" + ALICE[2:].upper()
    assert get(url(replica, "trades"), user=upper).json()["data"][0]["proxy_wallet"] == ALICE


def test_an_unknown_wallet_has_an_empty_page(replica: RunningReplica) -> None:
    for user in (CAROL, "0x" + "12" * 20):
        for route in ("trades", "activity"):
            body = get(url(replica, route), user=user).json()
            assert (body["data"], body["pagination"]["has_more"]) == ([], False)


# -- errors and headers -----------------------------------------------------------------------


def test_errors_have_a_code_and_a_trace(replica: RunningReplica) -> None:
    answer = get(url(replica, "activity"))
    body = answer.json()
    assert answer.status_code == 400
    assert list(body) == ["error", "code", "retryable", "trace_id", "parameter"]
    assert (body["code"], body["retryable"]) == ("invalid_request", False)
    assert answer.headers["x-trace-id"] == body["trace_id"]
    missing = get(url(replica, "no-such-route"))
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    posted = requests.post(url(replica, "trades"), timeout=10)
    assert (posted.status_code, posted.json()["code"]) == (405, "method_not_allowed")


def test_every_answer_has_a_trace_of_its_own_and_the_worlds_date(replica: RunningReplica) -> None:
    first, second = (get(url(replica, "trades"), user=BOB) for _ in range(2))
    assert first.headers["x-trace-id"] != second.headers["x-trace-id"]
    assert first.headers["Date"] == "Sun, 01 Mar 2026 00:00:00 GMT"
    replica.clock.advance(1800)
    assert get(url(replica, "status")).headers["Date"] == "Sun, 01 Mar 2026 00:30:00 GMT"


# -- rows that change, come late, or appear during a walk -------------------------------------


def test_fresh_rows_are_unenriched_and_change_later(replica: RunningReplica, known: Json) -> None:
    window = {"user": ALICE, "start": known["fresh"].timestamp, "end": known["fresh"].timestamp}

    def row() -> Json:
        (found,) = data_rows(replica, "trades", **window)
        return found

    before = row()
    assert (before["outcome_index"], before["event_slug"], before["icon"]) == (999, "", "")
    assert (before["title"], before["outcome"]) == ("Will it be open-market?", "Yes")
    replica.clock.advance(1800)
    after = row()
    assert (after["outcome_index"], after["event_slug"]) == (0, "open-market-event")
    assert after["icon"].endswith(".png")
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"outcome_index", "event_slug", "icon"}
    # A client that tells rows apart by their whole content counts this fill twice.
    assert len({json.dumps(before), json.dumps(after)}) == 2
    activity = data_rows(replica, "activity", **window)
    assert activity[0]["outcome_index"] == 0


def test_people_change_their_names_in_old_rows_too() -> None:
    renamed = next(n for n in range(1, 100) if int(f"0x{n:040x}", 16) % 7 == 0)
    address = f"0x{renamed:040x}"
    build = tiny.Builder()
    market = build.market("open-market")
    build.fill(market, NOW - 200 * DAY, wallet=address)
    world = build.world()
    world.wallets[address] = Wallet(address, "Dora", "favourite", True)
    with serve(world, now=NOW - 150 * DAY) as replica:
        before = data_rows(replica, "trades", user=address)[0]
        replica.clock.set(NOW)
        after = data_rows(replica, "trades", user=address)[0]
    assert (before["name"], after["name"]) == ("Dora", "Dora (new)")
    assert before | {"name": ""} == after | {"name": ""}


def test_late_rows_appear_behind_newer_ones(replica: RunningReplica, known: Json) -> None:
    walk = {"user": ALICE, "limit": 1000}
    late = known["late"].transaction_hash
    first = data_rows(replica, "trades", **walk)
    assert late not in hashes(first)
    newest = first[0]["timestamp"]
    assert newest > known["late"].timestamp
    replica.clock.advance(1800)
    # "From my newest row on" never sees the row that came late; an overlap does.
    naive = data_rows(replica, "trades", **walk, start=newest)
    assert late not in hashes(naive)
    overlapping = data_rows(replica, "trades", **walk, start=newest - 900)
    assert late in hashes(overlapping)


def test_rows_inserted_during_a_walk_neither_shift_nor_repeat_it(replica: RunningReplica, known: Json) -> None:
    replica.clock.auto_advance = 60
    pages = data_pages(replica, "trades", user=ALICE, taker_only="false", limit=200)
    rows = [row for page in pages for row in page]
    twins = known["twins"][0].transaction_hash
    tags = [tag for tag in hashes(rows) if tag != twins]
    assert len(tags) == len(set(tags))
    new = {fill.transaction_hash for fill in known["soon"]}
    assert not new & set(tags)
    # They were there before the walk was over: the next one has them.
    seen = new & set(hashes(data_rows(replica, "trades", user=ALICE)))
    assert len(seen) >= 6


def test_offset_pages_of_the_old_route_repeat_rows_when_others_are_inserted(
    replica: RunningReplica, known: Json
) -> None:
    replica.clock.auto_advance = 60
    naive: list[Json] = []
    for offset in range(0, 1200, 200):
        query = {"user": ALICE, "takerOnly": "false", "limit": 200, "offset": offset}
        naive += get(f"{replica.data_api_url}/trades", **query).json()
    tags = [row["transactionHash"] for row in naive]
    twins = known["twins"][0].transaction_hash
    repeated = len(tags) - len(set(tags)) - (tags.count(twins) > 1)
    assert repeated >= 5


def test_two_equal_fills_in_one_transaction_are_two_rows(replica: RunningReplica, known: Json) -> None:
    when = known["twins"][0].timestamp
    rows = data_rows(replica, "trades", user=ALICE, start=when, end=when)
    assert len(rows) == 2
    # Nothing in them differs: `distinct` makes one of two trades.
    assert rows[0] == rows[1]


def test_combo_rows_have_short_condition_ids_and_no_market(replica: RunningReplica, known: Json) -> None:
    when = known["combo_fill"].timestamp
    (row,) = data_rows(replica, "trades", user=ALICE, start=when, end=when)
    assert len(row["condition_id"]) == 2 + 62
    assert (row["slug"], row["outcome"], row["event_slug"]) == ("", "", "")
    assert " AND " in row["title"]
    assert row["outcome_index"] == 999
    (entry,) = data_rows(replica, "activity", user=ALICE, start=when, end=when)
    assert entry["is_combo"] is True
    assert "is_combo" not in row
    # The market routes do not know what the feed named.
    assert get(url(replica, "resolutions"), condition=row["condition_id"]).json()["data"] == []


def test_a_trade_can_name_a_market_that_the_venue_does_not_list(replica: RunningReplica, known: Json) -> None:
    when = known["unlisted_fill"].timestamp
    (row,) = data_rows(replica, "trades", user=ALICE, start=when, end=when)
    assert row["condition_id"] == known["unlisted"]
    for closed in ("true", "false"):
        found = tiny.gamma_rows(replica, "markets", condition_ids=known["unlisted"], closed=closed)
        assert found == []


# -- numbers ----------------------------------------------------------------------------------


def test_prices_are_doubles_with_noise_and_sizes_exact(replica: RunningReplica, known: Json) -> None:
    fill = known["noise"]
    query = {"user": ALICE, "start": fill.timestamp, "end": fill.timestamp}
    text = get(url(replica, "trades"), **query).text
    assert '"size":1283.535383,' in text
    price = repr(fill.usdc_micro / fill.shares_micro)
    assert f'"price":{price},' in text and len(price) > 15
    cash = Decimal(price) * Decimal("1283.535383")
    # Exact only after rounding to the millionth; the two-decimal price would be off by dollars.
    assert cash != Decimal("1116.675784")
    assert round(cash, 6) == Decimal("1116.675784")


def test_whole_numbers_keep_their_fraction(replica: RunningReplica, known: Json) -> None:
    when = known["twins"][0].timestamp
    text = get(url(replica, "trades"), user=ALICE, start=when, end=when).text
    assert '"size":7.0,' in text


def test_token_ids_are_long_decimal_texts(replica: RunningReplica) -> None:
    row = get(url(replica, "trades"), user=ALICE, limit=1).json()["data"][0]
    assert isinstance(row["token_id"], str) and len(row["token_id"]) > 70


# -- activity ---------------------------------------------------------------------------------


def test_activity_needs_a_user(replica: RunningReplica) -> None:
    body = get(url(replica, "activity")).json()
    assert body["error"] == "required query param 'user' not provided"


def test_usdc_size_includes_the_takers_fee(replica: RunningReplica, known: Json) -> None:
    def cash(fill: Fill) -> tuple[float, float]:
        window = {"user": ALICE, "start": fill.timestamp, "end": fill.timestamp}
        (trade,) = data_rows(replica, "trades", **window)
        (entry,) = data_rows(replica, "activity", **window)
        assert "usdc_size" not in trade
        return entry["usdc_size"], trade["price"] * trade["size"]

    paid, value = cash(known["fee_buy"])
    assert (paid, value) == (5.3248, pytest.approx(5.2))
    got, value = cash(known["fee_sell"])
    assert (got, value) == (2.5376, pytest.approx(2.6))


def test_rows_that_are_no_trades(replica: RunningReplica, known: Json) -> None:
    kinds = "SPLIT,MERGE,REDEEM,REWARD,MAKER_REBATE"
    rows = {row["type"]: row for row in data_rows(replica, "activity", user=ALICE, type=kinds)}
    assert set(rows) == set(kinds.split(","))
    for row in rows.values():
        empty = (row["token_id"], row["side"], row["price"], row["outcome_index"], row["outcome"])
        assert empty == ("", "", 0, 999, "")
    assert rows["SPLIT"]["condition_id"] == known["resolved"]
    assert rows["SPLIT"]["slug"] == "resolved-market"
    assert (rows["SPLIT"]["size"], rows["SPLIT"]["usdc_size"]) == (9, 9)
    # A redemption's size is its payout, not the number of shares that went.
    assert (rows["REDEEM"]["size"], rows["REDEEM"]["usdc_size"]) == (3.5, 3.5)
    for kind in ("REWARD", "MAKER_REBATE"):
        assert (rows[kind]["condition_id"], rows[kind]["title"]) == ("", "")


def test_transfers_and_tips_come_only_when_asked_for(replica: RunningReplica) -> None:
    def types(**params: Any) -> set[str]:
        rows = data_rows(replica, "activity", user=ALICE, limit=1000, **params)
        return {row["type"] for row in rows}

    assert types() == {"TRADE", "SPLIT", "MERGE", "REDEEM", "REWARD", "MAKER_REBATE"}
    assert types(exclude_deposits_withdrawals="false") - types() == {"DEPOSIT", "WITHDRAWAL"}
    assert types(type="DEPOSIT,WITHDRAWAL") == set()
    assert types(type="TIP") == {"TIP"}
    assert get(url(replica, "activity"), user=ALICE, type="GIFT").status_code == 400


def test_sort_direction_and_its_cursor(replica: RunningReplica) -> None:
    down = data_rows(replica, "activity", user=ALICE, limit=500)
    up = data_rows(replica, "activity", user=ALICE, limit=500, sort_direction="ASC")
    assert [row["timestamp"] for row in up] == [row["timestamp"] for row in down][::-1]
    assert sorted(hashes(up)) == sorted(hashes(down))
    first = get(url(replica, "activity"), user=ALICE, limit=5, sort_direction="ASC").json()
    cursor = first["pagination"]["next_cursor"]
    # The cursor's direction wins over the query's.
    flipped = get(url(replica, "activity"), user=ALICE, sort_direction="DESC", cursor=cursor)
    assert hashes(flipped.json()["data"]) == hashes(up[5:10])
    assert get(url(replica, "activity"), user=ALICE, sort_by="CASH").status_code == 400


# -- boards, positions, resolutions, prices ---------------------------------------------------


def test_the_leaderboard(replica: RunningReplica) -> None:
    body = get(url(replica, "leaderboard"), time_period="all").json()
    rows = body["data"]
    assert list(rows[0]) == ("rank user_id pnl volume user_name profile_image x_username verified".split())
    # Carol is not on it.
    assert {row["user_id"] for row in rows} == {ALICE, BOB}
    assert [row["rank"] for row in rows] == [1, 2]
    pnl = [row["pnl"] for row in rows]
    assert pnl == sorted(pnl, reverse=True)
    by_volume = get(url(replica, "leaderboard"), time_period="all", sort_by="VOLUME").json()["data"]
    assert by_volume[0]["user_id"] == ALICE
    # Shares, not dollars.
    bob = next(row for row in rows if row["user_id"] == BOB)
    assert bob["volume"] == 300.0


def test_the_leaderboard_is_of_the_day_unless_asked_otherwise(replica: RunningReplica) -> None:
    today = get(url(replica, "leaderboard")).json()["data"]
    assert [row["user_id"] for row in today] == [ALICE]


def test_a_categorys_board_counts_its_markets_alone(replica: RunningReplica, tiny_world: tuple[World, Json]) -> None:
    world = tiny_world[0]
    sizes = set()
    for category in data_api.BOARDS[1:]:
        rows = get(url(replica, "leaderboard"), time_period="all", category=category).json()["data"]
        slugs = {category, {"culture": "pop-culture", "economics": "economy"}.get(category, category)}
        traded = {
            wallet.address
            for wallet in world.wallets.values()
            for fill in visible_trades(world, wallet.address)
            if wallet.on_leaderboard
            and fill.condition_id in world.markets
            and slugs & {tag.slug for tag in world.events[world.markets[fill.condition_id].event_id].tags}
        }
        assert {row["user_id"] for row in rows} == traded, category
        sizes.add(len(traded))
    assert {0, 2} <= sizes
    assert get(url(replica, "leaderboard"), category="astrology").status_code == 400


def test_the_leaderboards_cursor_pins_its_board(replica: RunningReplica) -> None:
    board = {"time_period": "all", "sort_by": "VOLUME"}
    first = get(url(replica, "leaderboard"), **board, limit=1).json()
    cursor = first["pagination"]["next_cursor"]
    second = get(url(replica, "leaderboard"), cursor=cursor).json()
    assert [row["user_id"] for row in first["data"] + second["data"]] == [ALICE, BOB]
    assert second["pagination"] == {"limit": 1, "offset": 1, "has_more": False, "next_cursor": None}
    contradiction = get(url(replica, "leaderboard"), cursor=cursor, time_period="week")
    assert contradiction.status_code == 400


def test_one_wallets_standing_is_an_object(replica: RunningReplica) -> None:
    query = {"time_period": "all"}
    standing = get(url(replica, "leaderboard"), user=BOB, **query).json()["data"]
    assert standing["rank_volume"] == 2
    assert get(url(replica, "leaderboard"), user=CAROL, **query).json()["data"] is None


def test_the_old_leaderboard_has_texts_for_ranks(replica: RunningReplica) -> None:
    rows = get(f"{replica.data_api_url}/v1/leaderboard").json()
    assert rows[0]["rank"] == "1"
    assert {row["proxyWallet"] for row in rows} == {ALICE, BOB}


def test_positions(replica: RunningReplica, known: Json) -> None:
    rows = data_rows(replica, "positions", user=ALICE, limit=2)
    tokens = {row["condition_id"]: row for row in rows if row["outcome_index"] == 0}
    assert tokens[known["open"]]["status"] == "OPEN"
    assert tokens[known["resolved"]]["status"] == "REDEEMABLE"
    # 10 shares bought, 5 sold.
    assert tokens[known["fees"]]["current_size"] == 5
    redeemable = data_rows(replica, "positions", user=ALICE, status="REDEEMABLE")
    assert {row["status"] for row in redeemable} == {"REDEEMABLE"}
    assert len(redeemable) < len(rows)
    assert get(url(replica, "positions")).status_code == 400
    first = get(url(replica, "positions"), user=ALICE, limit=1).json()["pagination"]
    other = {"user": ALICE, "cursor": first["next_cursor"], "status": "CLOSED"}
    assert get(url(replica, "positions"), **other).status_code == 400


def test_resolutions(replica: RunningReplica, known: Json) -> None:
    ids = ",".join((known["resolved"], known["open"], known["void"], known["unlisted"]))
    rows = {row["condition_id"]: row for row in get(url(replica, "resolutions"), condition=ids).json()["data"]}
    assert rows[known["resolved"]]["payouts"] == [1_000_000, 0]
    assert rows[known["resolved"]]["resolved_at"] == "2026-02-10T00:00:00Z"
    assert rows[known["void"]]["payouts"] == [0, 0]
    assert rows[known["open"]]["status"] == "posed"
    assert "payouts" not in rows[known["open"]]
    assert known["unlisted"] not in rows
    assert get(url(replica, "resolutions")).status_code == 400
    mixed = {"condition": known["open"], "event_id": "16000"}
    assert get(url(replica, "resolutions"), **mixed).status_code == 400


def test_prices_history(replica: RunningReplica, known: Json) -> None:
    token = known["noise"].token_id
    query = {"token_id": token, "start": NOW - 2 * DAY, "bucket_seconds": 60}
    points = data_rows(replica, "prices-history", **query, limit=50)
    assert len({point["timestamp"] for point in points}) == len(points) > 50
    assert all(point["resolution_seconds"] == 60 for point in points)
    assert get(url(replica, "prices-history"), token_id=token, start=0).status_code == 400
    # Minutes are kept for a week.
    early = query | {"start": NOW - 8 * DAY}
    assert get(url(replica, "prices-history"), **early).status_code == 400
    coarser = get(url(replica, "prices-history"), token_id=token, start=NOW - 8 * DAY).json()
    assert coarser["data"][0]["resolution_seconds"] == 300


def test_status(replica: RunningReplica) -> None:
    body = get(url(replica, "status")).json()
    assert body["data"]["computed_at"] == "2026-02-28T23:59:36Z"
    assert "pagination" not in body


# -- the content delivery network in front ----------------------------------------------------


def test_the_cdn_repeats_an_answer_for_five_minutes(tiny_world: tuple[World, Json]) -> None:
    with serve(tiny_world[0], now=NOW, cdn=True) as replica:
        query = {"user": ALICE, "limit": 5}
        first = get(url(replica, "trades"), **query)
        replica.clock.advance(240)
        second = get(url(replica, "trades"), **query)
        assert second.json() == first.json()
        assert second.headers["x-trace-id"] == first.headers["x-trace-id"]
        assert second.headers["x-cache"] == "Hit from cloudfront"
        assert second.headers["age"] == "240"
        # Four new trades are not seen: "nothing newer than the newest row" is not yet true.
        fresh = get(url(replica, "trades"), **query, end=NOW + 240).json()["data"]
        assert fresh[0]["timestamp"] > first.json()["data"][0]["timestamp"]
        replica.clock.advance(60)
        assert get(url(replica, "trades"), **query).json() != first.json()


# -- the routes that are going away -----------------------------------------------------------


def test_the_old_routes_speak_camel_case_in_bare_lists(replica: RunningReplica) -> None:
    rows = get(f"{replica.data_api_url}/trades", user=ALICE, limit=1000).json()
    assert len(rows) == 500
    fields = {"proxyWallet", "asset", "conditionId", "outcomeIndex", "transactionHash"}
    assert fields <= set(rows[0])
    deep = get(f"{replica.data_api_url}/trades", user=ALICE, offset=10_001)
    assert deep.status_code == 400 and set(deep.json()) == {"error"}
    entries = get(f"{replica.data_api_url}/activity", user=ALICE, type="SPLIT").json()
    assert (entries[0]["usdcSize"], entries[0]["asset"]) == (9, "")
    assert get(f"{replica.data_api_url}/activity").status_code == 400
