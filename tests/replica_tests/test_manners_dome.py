"""Dome's manners. Where a quirk bites, a naive client is shown to lose or double rows."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.replica import dome, source
from tests.replica.server import RunningReplica, serve
from tests.replica.world import World
from tests.replica_tests import tiny
from tests.replica_tests.tiny import ALICE, BOB, COMPLETE_SINCE, DAY, NOW, Json, get, get_dome


def pages(
    replica: RunningReplica,
    path: str,
    rows_key: str,
    key_name: str = "pagination_key",
    **params: Any,
) -> Iterator[list[Json]]:
    key: dict[str, str] = {}
    for _ in range(40):
        body = get_dome(replica, path, **params, **key).json()
        yield body[rows_key]
        if not body["pagination"]["has_more"]:
            return
        key = {key_name: body["pagination"]["pagination_key"]}


def orders(replica: RunningReplica, **params: Any) -> list[Json]:
    return [row for page in pages(replica, "orders", "orders", **params) for row in page]


def decoded(key: str) -> Json:
    value: Json = json.loads(base64.b64decode(key))
    return value


# -- the key ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["orders", "activity", "markets", "events", "wallet"])
def test_without_the_key_it_is_403(replica: RunningReplica, path: str) -> None:
    url = f"{replica.dome_base_url}/polymarket/{path}"
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": replica.dome_key}):
        answer = tiny.requests.get(url, headers=headers, timeout=10)
        assert answer.status_code == 403
        assert answer.json()["message"] == "Authentication required"


def test_a_deep_offset_is_401_although_the_key_is_good(replica: RunningReplica) -> None:
    assert get_dome(replica, "orders", user=ALICE, offset=10_000).status_code == 200
    answer = get_dome(replica, "orders", user=ALICE, offset=10_001)
    # Whoever reads 401 as "bad key" stops for the wrong reason.
    assert answer.status_code == 401
    assert answer.json()["error"] == "Offset deprecated"
    assert "pagination_key" in answer.json()["message"]


# -- orders -----------------------------------------------------------------------------------


def test_a_walk_brings_every_fill_once_newest_first(replica: RunningReplica, tiny_world: tuple[World, Json]) -> None:
    world = tiny_world[0]
    fills = world.visible_fills(ALICE, NOW)
    # Makers, takers and dust alike: one row per order fill.
    for limit in (1000, 300):
        rows = orders(replica, user=ALICE, limit=limit)
        assert len(rows) == len(fills)
        assert {row["tx_hash"] for row in rows} == {fill.transaction_hash for fill in fills}
        stamps = [row["timestamp"] for row in rows]
        assert stamps == sorted(stamps, reverse=True)


def test_the_pagination_key_names_the_place(replica: RunningReplica) -> None:
    body = get_dome(replica, "orders", user=ALICE, limit=2).json()
    assert list(body["pagination"]) == ["limit", "offset", "total", "has_more", "pagination_key"]
    token = decoded(body["pagination"]["pagination_key"])
    assert list(token) == ["block_timestamp", "tx_hash", "log_index", "total"]
    assert token["tx_hash"] == body["orders"][-1]["tx_hash"]
    assert token["total"] == body["pagination"]["total"]
    bad = get_dome(replica, "orders", user=ALICE, pagination_key="nonsense")
    assert (bad.status_code, bad.json()["error"]) == (400, "Invalid pagination key")


def test_a_wrong_key_name_repeats_page_one(replica: RunningReplica) -> None:
    walk = {"user": ALICE, "limit": 100}
    walked = list(pages(replica, "orders", "orders", key_name="cursor", **walk))
    assert len(walked) == 40
    assert all(page == walked[0] for page in walked)


def test_default_limits_cut_what_looks_complete(
    replica: RunningReplica, known: Json, tiny_world: tuple[World, Json]
) -> None:
    assert len(get_dome(replica, "orders", user=ALICE).json()["orders"]) == 100
    listed = tiny_world[0].listed_markets(NOW)
    asked = [market.condition_id for market in listed]
    assert len(asked) == 11
    naive = get_dome(replica, "markets", condition_id=asked).json()
    # Eleven asked for, ten returned: the eleventh is lost without a limit.
    assert len(naive["markets"]) == 10
    complete = get_dome(replica, "markets", condition_id=asked, limit=100).json()
    assert len(complete["markets"]) == 11
    assert get_dome(replica, "events").json()["pagination"]["limit"] == 10


@pytest.mark.parametrize(
    ("path", "limit", "most"),
    [("orders", 1001, 1000), ("orders", 0, 1000), ("markets", 101, 100), ("events", "x", 100)],
)
def test_limits_out_of_range_are_refused(replica: RunningReplica, path: str, limit: object, most: int) -> None:
    answer = get_dome(replica, path, user=ALICE, limit=limit)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "Invalid limit parameter",
        "message": f"limit must be a number between 1 and {most}",
    }


def test_orders_need_a_filter_and_only_one_of_a_kind(replica: RunningReplica, known: Json) -> None:
    bare = get_dome(replica, "orders")
    assert (bare.status_code, bare.json()["error"]) == (400, "Missing required filter parameter")
    both = {"condition_id": known["open"], "market_slug": "open-market"}
    answer = get_dome(replica, "orders", **both)
    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid filter combination")


def test_order_filters_agree(replica: RunningReplica, known: Json) -> None:
    by_condition = orders(replica, condition_id=known["resolved"])
    by_slug = orders(replica, market_slug="resolved-market")
    assert by_condition == by_slug and len(by_slug) == 30
    token = by_slug[0]["token_id"]
    assert orders(replica, token_id=token) == by_slug
    assert orders(replica, user=BOB) == by_slug
    assert orders(replica, user=ALICE, condition_id=known["fees"], limit=1000) == orders(
        replica, condition_id=known["fees"]
    )


def test_times_are_inclusive_and_checked(replica: RunningReplica, known: Json) -> None:
    when = known["twins"][0].timestamp
    assert len(orders(replica, user=ALICE, start_time=when, end_time=when)) == 2
    backwards = get_dome(replica, "orders", user=ALICE, start_time=when, end_time=when - 1)
    assert backwards.json()["error"] == "Invalid time range"
    text = get_dome(replica, "orders", user=ALICE, start_time="yesterday")
    assert text.json()["error"] == "Invalid start_time parameter"


# -- two generations --------------------------------------------------------------------------


def test_old_rows_have_no_log_index(replica: RunningReplica, known: Json) -> None:
    rows = orders(replica, user=ALICE, limit=1000)
    newer = {"token_label", "block_number", "log_index", "taker"}
    old = [row for row in rows if row["timestamp"] < COMPLETE_SINCE]
    new = [row for row in rows if row["timestamp"] >= COMPLETE_SINCE]
    assert old and new
    assert all(not newer & set(row) for row in old)
    assert all(newer <= set(row) for row in new)
    assert (
        list(old[0])
        == (
            "token_id side market_slug condition_id title shares shares_normalized price tx_hash"
            " timestamp order_hash user"
        ).split()
    )
    assert old[0]["tx_hash"] == known["old"].transaction_hash


@pytest.mark.parametrize("since", [0, NOW + DAY])
def test_the_generation_can_be_switched(tiny_world: tuple[World, Json], since: int) -> None:
    with serve(tiny_world[0], dome_manners=dome.Manners(complete_since=since)) as replica:
        rows = orders(replica, user=ALICE, limit=1000)
    assert {"log_index" in row for row in rows} == {since == 0}


def test_two_equal_fills_differ_in_the_log_index_or_not_at_all(tiny_world: tuple[World, Json], known: Json) -> None:
    when = known["twins"][0].timestamp
    query = {"user": ALICE, "start_time": when, "end_time": when}
    with serve(tiny_world[0], dome_manners=dome.Manners(complete_since=0)) as replica:
        new = orders(replica, **query)
    with serve(tiny_world[0], dome_manners=dome.Manners(complete_since=NOW)) as replica:
        old = orders(replica, **query)
    assert {row["log_index"] for row in new} == {11, 12}
    # Of the older generation, two trades are told apart by nothing.
    assert old[0] == old[1]


def test_shares_are_raw_and_normalized_and_prices_are_doubles(replica: RunningReplica, known: Json) -> None:
    when = known["noise"].timestamp
    (row,) = orders(replica, user=ALICE, start_time=when, end_time=when)
    assert (row["shares"], row["shares_normalized"]) == (1_283_535_383, 1283.535383)
    assert row["price"] == 1_116_675_784 / 1_283_535_383
    twin = known["twins"][0].timestamp
    text = get_dome(replica, "orders", user=ALICE, start_time=twin, end_time=twin).text
    assert '"shares_normalized":7,' in text


def test_the_takers_own_row_names_the_exchange(replica: RunningReplica, known: Json) -> None:
    rows = orders(replica, user=ALICE, start_time=COMPLETE_SINCE, limit=1000)
    takers = {row["taker"] for row in rows if row["tx_hash"] == known["noise"].transaction_hash}
    assert takers == {source.CTF_EXCHANGE_V1}
    assert {row["taker"] for row in rows} == {source.CTF_EXCHANGE_V1, BOB}
    build = tiny.Builder()
    family = build.market("family", negative_risk=True)
    after = source.EXCHANGE_V2_SINCE + 60
    build.fill(family, NOW)
    build.fill(family, after)
    manners = dome.Manners(complete_since=0)
    with serve(build.world(), now=after + 60, dome_manners=manners) as other:
        exchanges = [row["taker"] for row in orders(other, user=ALICE)]
    assert exchanges == [source.NEG_RISK_EXCHANGE_V2, source.NEG_RISK_EXCHANGE_V1]


def test_both_sources_tell_of_the_same_fills(replica: RunningReplica) -> None:
    trades = tiny.data_rows(replica, "trades", user=BOB, taker_only="false")
    rows = orders(replica, user=BOB)
    assert {(row["transaction_hash"], row["token_id"], row["side"], row["size"], row["price"]) for row in trades} == {
        (row["tx_hash"], row["token_id"], row["side"], row["shares_normalized"], row["price"]) for row in rows
    }


def test_late_rows_and_rows_during_a_walk(replica: RunningReplica, known: Json) -> None:
    replica.clock.auto_advance = 60
    walk = orders(replica, user=ALICE, limit=200)
    tags = [row["tx_hash"] for row in walk]
    assert known["late"].transaction_hash not in tags
    assert not {fill.transaction_hash for fill in known["soon"]} & set(tags)
    assert len(tags) == len(set(tags)) + 1  # the twins
    replica.clock.set(NOW + 1800)
    assert known["late"].transaction_hash in [row["tx_hash"] for row in orders(replica, user=ALICE)]


# -- activity ---------------------------------------------------------------------------------


def test_activity(replica: RunningReplica, known: Json) -> None:
    body = get_dome(replica, "activity", user=ALICE, limit=2).json()
    assert body["pagination"]["count"] == 3
    assert "total" not in body["pagination"]
    token = decoded(body["pagination"]["pagination_key"])
    assert list(token) == ["block_timestamp", "side", "tx_hash", "log_index", "total"]
    walk = pages(replica, "activity", "activities", user=ALICE, limit=2)
    rows = [row for page in walk for row in page]
    assert [row["side"] for row in rows] == ["SPLIT", "MERGE", "REDEEM"]
    for row in rows:
        assert (row["token_id"], row["price"], row["order_hash"]) == ("", 1, "")
        assert row["condition_id"] == known["resolved"]
    assert rows[0]["shares"] == 9_000_000
    both = {"market_slug": "x", "condition_id": "y"}
    assert get_dome(replica, "activity", **both).status_code == 400


# -- markets and events -----------------------------------------------------------------------


def dome_market(replica: RunningReplica, condition_id: str) -> Json:
    (row,) = get_dome(replica, "markets", condition_id=condition_id).json()["markets"]
    return dict(row)


def test_winning_side_is_an_object_a_text_or_null(tiny_world: tuple[World, Json], known: Json) -> None:
    def winner(manner: Any) -> Any:
        manners = dome.Manners(complete_since=COMPLETE_SINCE, winning_side=manner)
        with serve(tiny_world[0], now=NOW, dome_manners=manners) as replica:
            row = dome_market(replica, known["resolved"])
            assert dome_market(replica, known["open"])["winning_side"] is None
            assert dome_market(replica, known["void"])["winning_side"] is None
            assert dome_market(replica, known["fifty"])["winning_side"] is None
            return row["winning_side"], row["side_a"]

    found, side = winner("object")
    assert found == side and side["label"] == "Yes"
    assert winner("string")[0] == "Yes"
    # The market is of the older generation.
    assert winner("mixed")[0] == "Yes"


def test_a_market(replica: RunningReplica, known: Json) -> None:
    row = dome_market(replica, known["resolved"])
    assert row["market_slug"] == "resolved-market"
    assert (row["status"], row["tags"]) == ("closed", ["Politics", "Hide From New"])
    assert row["completed_time"] == row["close_time"] == NOW - 19 * DAY
    assert isinstance(row["volume_total"], float)
    assert dome_market(replica, known["open"])["completed_time"] is None
    unlisted = get_dome(replica, "markets", condition_id=known["unlisted"]).json()
    assert unlisted["markets"] == []


@pytest.mark.parametrize("brackets", ["", "[]"])
def test_array_parameters_are_repeated_keys(replica: RunningReplica, known: Json, brackets: str) -> None:
    asked = [known["open"], known["resolved"]]
    rows = get_dome(replica, "markets", **{f"condition_id{brackets}": asked}).json()["markets"]
    assert {row["condition_id"] for row in rows} == set(asked)


def test_market_filters_and_pages(replica: RunningReplica, known: Json) -> None:
    walk = pages(replica, "markets", "markets", limit=4)
    walked = [row["condition_id"] for page in walk for row in page]
    assert len(walked) == len(set(walked)) == 11
    closed = get_dome(replica, "markets", status="closed", limit=100).json()["markets"]
    assert {row["status"] for row in closed} == {"closed"} and len(closed) == 5
    tagged = get_dome(replica, "markets", tags="politics", limit=100).json()
    assert tagged["pagination"]["total"] == 11
    found = get_dome(replica, "markets", search="candidate").json()["markets"]
    assert len(found) == 4
    assert get_dome(replica, "markets", search="x").status_code == 400
    assert get_dome(replica, "markets", search="xy", tags="politics").status_code == 400
    token = known["noise"].token_id
    (row,) = get_dome(replica, "markets", token_id=token).json()["markets"]
    assert row["condition_id"] == known["open"]
    (row,) = get_dome(replica, "markets", min_volume=1000).json()["markets"]
    assert row["condition_id"] == known["open"]


def test_game_start_time_has_two_notations() -> None:
    build = tiny.Builder()
    for name, created in (("old-game", NOW - 200 * DAY), ("new-game", NOW - DAY)):
        event = build.event(f"{name}-event", category="Sports")
        build.market(name, event, created_at=created, opens_at=created)
    manners = dome.Manners(complete_since=COMPLETE_SINCE)
    with serve(build.world(), now=NOW, dome_manners=manners) as replica:
        rows = get_dome(replica, "markets").json()["markets"]
    times = {row["market_slug"]: row["game_start_time"] for row in rows}
    assert times == {
        "old-game": "2026-03-06 00:00:00.000",
        "new-game": "2026-03-06T00:00:00.000000000Z",
    }


def test_events(replica: RunningReplica, known: Json) -> None:
    body = get_dome(replica, "events", event_slug="who-wins").json()
    (row,) = body["events"]
    assert (row["market_count"], row["status"]) == (4, "open")
    assert "markets" not in row
    assert body["pagination"] == {"limit": 10, "has_more": False, "pagination_key": None}
    full = get_dome(replica, "events", event_slug="who-wins", include_markets="true").json()
    assert len(full["events"][0]["markets"]) == 4
    walk = pages(replica, "events", "events", limit=3)
    walked = [row["event_slug"] for page in walk for row in page]
    assert len(walked) == len(set(walked)) == 8
    first = get_dome(replica, "events", limit=4).json()
    assert list(decoded(first["pagination"]["pagination_key"])) == ["lastVolume", "lastEventSlug"]


def test_an_event_walk_is_a_keyset_on_a_moving_number() -> None:
    """An event that overtakes the cursor while the walk is under way is missed."""
    build = tiny.Builder()
    small = build.market("small")
    big = build.market("big")
    build.fill(big, NOW - 60, usdc_micro=5_000_000)
    build.fill(small, NOW - 60, usdc_micro=1_000_000)
    build.fill(small, NOW + 60, usdc_micro=9_000_000)
    with serve(build.world(), now=NOW) as replica:
        replica.clock.auto_advance = 120
        walk = pages(replica, "events", "events", limit=1)
        walked = [row["event_slug"] for page in walk for row in page]
    assert walked == ["big-event"]


# -- wallets and prices -----------------------------------------------------------------------


def test_wallet(replica: RunningReplica) -> None:
    body = get_dome(replica, "wallet", proxy=BOB).json()
    assert (body["proxy"], body["handle"]) == (BOB, "Bob")
    assert "wallet_metrics" not in body
    metrics = get_dome(replica, "wallet", handle="Bob", with_metrics="true").json()
    assert metrics["wallet_metrics"]["total_trades"] == 30
    assert get_dome(replica, "wallet", eoa=body["eoa"]).json() == body
    assert get_dome(replica, "wallet").status_code == 400
    assert get_dome(replica, "wallet", proxy=BOB, handle="Bob").status_code == 400
    assert get_dome(replica, "wallet", proxy="0x" + "12" * 20).status_code == 404


def test_market_price_and_candles(replica: RunningReplica, known: Json) -> None:
    token = known["noise"].token_id
    body = get_dome(replica, f"market-price/{token}").json()
    assert body["at_time"] == NOW and 0 < body["price"] < 1
    earlier = get_dome(replica, f"market-price/{token}", at_time=NOW - 5000).json()
    assert earlier["price"] == 1_116_675_784 / 1_283_535_383
    assert get_dome(replica, "market-price/12").status_code == 404
    window = {"start_time": NOW - DAY, "end_time": NOW, "interval": 60}
    path = f"candlesticks/{known['open']}"
    charts = get_dome(replica, path, **window).json()["candlesticks"]
    assert [chart[1]["side"] for chart in charts] == ["Yes", "No"]
    candle = charts[0][0][-1]
    assert candle["price"]["low"] <= candle["price"]["close"] <= candle["price"]["high"]
    assert get_dome(replica, path).json()["required"] == "start_time, end_time"
    too_long = window | {"interval": 1, "start_time": NOW - 8 * DAY}
    assert get_dome(replica, path, **too_long).status_code == 400


def test_other_hosts_need_no_key(replica: RunningReplica) -> None:
    assert get(f"{replica.data_api_url}/v2/status").status_code == 200
