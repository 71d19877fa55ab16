"""Gamma's manners. Where a quirk bites, a naive client is shown to lose or double rows."""

from __future__ import annotations

import json

import pytest

from tests.replica.server import RunningReplica, serve
from tests.replica_tests import tiny
from tests.replica_tests.tiny import DAY, NOW, Builder, Json, gamma_pages, gamma_rows, get

MANY = 250


def keyset(replica: RunningReplica, kind: str = "markets") -> str:
    return f"{replica.gamma_api_url}/{kind}/keyset"


@pytest.fixture(scope="module")
def crowd() -> object:
    """A world of 250 open and 120 closed markets, each of an event of its own."""
    build = Builder()
    for number in range(MANY):
        build.market(f"open-{number}")
    for number in range(120):
        past = {"closes_at": NOW - 20 * DAY, "resolved_at": NOW - 19 * DAY}
        build.market(f"closed-{number}", **past)
    with serve(build.world(), now=NOW) as running:
        yield running


def market(replica: RunningReplica, condition_id: str, **params: str) -> Json:
    """One market, open or closed."""
    query = {"condition_ids": condition_id, **params}
    rows = gamma_rows(replica, "markets", closed="true", **query)
    rows += gamma_rows(replica, "markets", closed="false", **query)
    assert len(rows) == 1
    return rows[0]


# -- pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["markets", "events"])
def test_a_walk_brings_everything_once_by_id(crowd: RunningReplica, kind: str) -> None:
    pages = list(gamma_pages(crowd, kind, limit=100))
    assert [len(page) for page in pages] == [100, 100, 50]
    ids = [int(row["id"]) for page in pages for row in page]
    assert ids == sorted(set(ids))
    assert len(ids) == MANY


@pytest.mark.parametrize("kind", ["markets", "events"])
def test_the_last_page_has_no_cursor(crowd: RunningReplica, kind: str) -> None:
    body = get(keyset(crowd, kind), limit=100).json()
    assert body["next_cursor"]
    while "next_cursor" in body:
        body = get(keyset(crowd, kind), limit=100, after_cursor=body["next_cursor"]).json()
    assert set(body) == {"$schema", kind}


@pytest.mark.parametrize("kind", ["markets", "events"])
@pytest.mark.parametrize("name", ["cursor", "next_cursor"])
def test_a_wrong_cursor_name_gives_page_one_for_ever(crowd: RunningReplica, kind: str, name: str) -> None:
    pages = list(gamma_pages(crowd, kind, cursor_name=name, limit=100, most=6))
    assert len(pages) == 6
    naive = [row["id"] for page in pages for row in page]
    assert (len(naive), len(set(naive))) == (600, 100)


def test_limit_is_twenty_by_default_and_clamped_to_a_hundred(crowd: RunningReplica) -> None:
    assert len(get(keyset(crowd)).json()["markets"]) == 20
    body = get(keyset(crowd), limit=500).json()
    # "I asked for 500 and got fewer: that was all" loses 150 markets.
    assert len(body["markets"]) == 100 < MANY < 500
    assert "next_cursor" in body
    assert get(keyset(crowd), limit="all").status_code == 422


@pytest.mark.parametrize("kind", ["markets", "events"])
def test_offset_is_refused(crowd: RunningReplica, kind: str) -> None:
    answer = get(keyset(crowd, kind), offset=0)
    assert answer.status_code == 422
    assert answer.json()["type"] == "validation error"


def test_a_cursor_is_bound_to_its_filters(crowd: RunningReplica) -> None:
    cursor = get(keyset(crowd), closed="true", limit=10).json()["next_cursor"]
    assert get(keyset(crowd), closed="true", limit=50, after_cursor=cursor).status_code == 200
    for query in ({"closed": "false"}, {}):
        assert get(keyset(crowd), after_cursor=cursor, **query).status_code == 422
    assert get(keyset(crowd), after_cursor="nonsense").status_code == 422


def test_unknown_parameters_are_ignored_in_silence(crowd: RunningReplica) -> None:
    plain = get(keyset(crowd), limit=5).json()
    misspelt = {"condition_id": "0x12", "conditionIds": "0x12", "is_closed": "true"}
    # The client believes that it filtered.
    assert get(keyset(crowd), limit=5, **misspelt).json()["markets"] == plain["markets"]


def test_order(crowd: RunningReplica) -> None:
    down = gamma_rows(crowd, "markets", limit=100, order="id", ascending="false")
    ids = [int(row["id"]) for row in down]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == MANY
    assert get(keyset(crowd), order="beauty").json()["error"] == "order fields are not valid"


def test_order_by_volume(replica: RunningReplica, known: Json) -> None:
    rows = gamma_rows(replica, "markets", limit=2, order="volumeNum", ascending="false")
    assert rows[0]["conditionId"] == known["open"]
    volumes = [row["volumeNum"] for row in rows]
    assert volumes == sorted(volumes, reverse=True)


def test_a_market_listed_during_a_walk_is_in_it_or_in_the_next(known: Json) -> None:
    world, _ = tiny.build_tiny()
    with serve(world, now=NOW) as replica:
        replica.clock.auto_advance = 300
        walked = [row["conditionId"] for row in gamma_rows(replica, "markets", limit=2)]
    assert len(walked) == len(set(walked))
    assert known["later"] in walked


# -- closed -----------------------------------------------------------------------------------


def test_closed_defaults_to_false(crowd: RunningReplica) -> None:
    naive = gamma_rows(crowd, "markets", limit=100)
    closed = gamma_rows(crowd, "markets", limit=100, closed="true")
    assert {row["closed"] for row in naive} == {False}
    assert {row["closed"] for row in closed} == {True}
    # Whoever leaves `closed` out never sees a resolution.
    assert (len(naive), len(closed)) == (MANY, 120)
    assert len(gamma_rows(crowd, "events", limit=100)) == MANY
    assert len(gamma_rows(crowd, "events", limit=100, closed="true")) == 120


def test_a_lookup_by_condition_omits_closed_markets(replica: RunningReplica, known: Json) -> None:
    asked = [known["open"], known["resolved"], known["void"], known["fifty"]]
    naive = gamma_rows(replica, "markets", condition_ids=asked, limit=100)
    assert [row["conditionId"] for row in naive] == [known["open"]]
    closed = gamma_rows(replica, "markets", condition_ids=asked, limit=100, closed="true")
    # Two calls bring all; one with closed=true loses the open one instead.
    assert {row["conditionId"] for row in naive + closed} == set(asked)
    assert known["open"] not in {row["conditionId"] for row in closed}


@pytest.mark.parametrize("name", ["id", "slug", "clob_token_ids"])
def test_other_lookups_omit_closed_markets_too(replica: RunningReplica, known: Json, name: str) -> None:
    row = market(replica, known["resolved"])
    value = json.loads(row["clobTokenIds"])[1] if name == "clob_token_ids" else row[name]
    assert gamma_rows(replica, "markets", **{name: value}) == []
    (found,) = gamma_rows(replica, "markets", closed="true", **{name: value})
    assert found["conditionId"] == known["resolved"]
    if name != "clob_token_ids":
        path = f"slug/{value}" if name == "slug" else value
        single = get(f"{replica.gamma_api_url}/markets/{path}")
        assert single.json()["conditionId"] == known["resolved"]


def test_a_hundred_conditions_fit_and_more_do_not(crowd: RunningReplica) -> None:
    ids = [row["conditionId"] for row in gamma_rows(crowd, "markets", limit=100)]
    found = gamma_rows(crowd, "markets", condition_ids=ids[:100], closed="false", limit=100)
    assert [row["conditionId"] for row in found] == ids[:100]
    # Without the limit, the page is the default one and looks complete.
    assert len(get(keyset(crowd), condition_ids=ids[:100]).json()["markets"]) == 20
    assert get(keyset(crowd), condition_ids=ids[:101]).status_code in (414, 422)
    assert get(keyset(crowd), condition_ids=ids[:130]).status_code == 414


# -- what a market says about itself ----------------------------------------------------------


def test_json_in_texts_and_numbers_in_texts(replica: RunningReplica, known: Json) -> None:
    row = market(replica, known["open"])
    assert row["outcomes"] == '["Yes", "No"]'
    prices = json.loads(row["outcomePrices"])
    assert all(isinstance(price, str) for price in prices)
    assert len(json.loads(row["clobTokenIds"])[0]) > 70
    assert isinstance(row["volume"], str) and float(row["volume"]) == row["volumeNum"] > 0
    assert isinstance(row["liquidity"], str)
    assert row["id"].isdigit()
    assert row["version"] == "v1"
    # The event's are numbers.
    (event,) = gamma_rows(replica, "events", slug="open-market-event")
    assert event["volume"] == row["volumeNum"]


def test_prices_and_volumes_of_an_open_market(replica: RunningReplica, known: Json) -> None:
    row = market(replica, known["open"])
    assert row["bestBid"] < row["lastTradePrice"] < row["bestAsk"]
    assert 0 < row["volume24hr"] < row["volume1wk"] < row["volumeNum"]
    assert (row["active"], row["closed"], row["acceptingOrders"]) == (True, False, True)
    assert "closedTime" not in row and "umaResolutionStatus" not in row


def test_category_is_null_but_for_the_oldest(replica: RunningReplica, known: Json) -> None:
    assert market(replica, known["open"])["category"] is None
    assert market(replica, known["legacy"])["category"] == "US-current-affairs"


def test_a_markets_life(replica: RunningReplica, known: Json) -> None:
    def seen(now: int) -> Json:
        replica.clock.set(now)
        row = market(replica, known["fees"])
        return {
            name: row.get(name) for name in ("closed", "active", "acceptingOrders", "umaResolutionStatus", "closedTime")
        }

    closes = NOW + DAY
    assert seen(NOW) == {
        "closed": False,
        "active": True,
        "acceptingOrders": True,
        "umaResolutionStatus": None,
        "closedTime": None,
    }
    closed = {
        "closed": True,
        "active": True,
        "acceptingOrders": False,
        "umaResolutionStatus": None,
        "closedTime": "2026-03-02 00:00:00+00",
    }
    assert seen(closes) == closed
    assert seen(closes + DAY + 60) == closed | {"umaResolutionStatus": "proposed"}
    replica.clock.set(closes + DAY + 60)
    # A proposal is not a payout: close to one, but not there.
    assert json.loads(market(replica, known["fees"])["outcomePrices"]) == ["0.0005", "0.9995"]
    assert seen(NOW + 4 * DAY) == closed | {
        "umaResolutionStatus": "resolved",
        "closedTime": "2026-03-05 00:00:00+00",
    }
    row = market(replica, known["fees"])
    assert json.loads(row["outcomePrices"]) == ["0", "1"]
    assert row["umaEndDate"] == "2026-03-05T00:00:00Z"


def test_a_disputed_market() -> None:
    build = Builder()
    ids = [build.market(f"dispute-{number}", closes_at=NOW - 9 * DAY, resolved_at=NOW) for number in range(5)]
    with serve(build.world(), now=NOW - DAY) as replica:
        statuses = {market(replica, key)["umaResolutionStatus"] for key in ids}
        assert statuses == {"proposed", "disputed"}
        replica.clock.set(NOW)
        histories = {market(replica, key)["umaResolutionStatuses"] for key in ids}
        assert histories == {'["proposed"]', '["proposed", "disputed", "proposed"]'}


def test_endings(replica: RunningReplica, known: Json) -> None:
    def ending(name: str) -> tuple[list[str], str | None]:
        row = market(replica, known[name])
        return json.loads(row["outcomePrices"]), row.get("umaResolutionStatus")

    assert ending("resolved") == (["1", "0"], "resolved")
    assert ending("fifty") == (["0.5", "0.5"], "resolved")
    # No winner and no loser: zeros do not mean that everybody lost.
    assert ending("void") == (["0", "0"], "resolved")
    # The oldest markets say nothing of the oracle.
    assert ending("legacy") == (["1", "0"], None)
    prices, status = ending("never")
    assert status is None and set(prices) != {"0", "1"}


def test_fees_may_vanish_when_a_market_closes() -> None:
    build = Builder()
    rate = {"fee_rate": tiny.Fraction(1, 20), "closes_at": NOW, "resolved_at": NOW + DAY}
    ids = [build.market(f"fees-{number}", **rate) for number in range(8)]
    with serve(build.world(), now=NOW - 60) as replica:
        for key in ids:
            row = market(replica, key)
            assert row["feesEnabled"] is True
            assert row["feeSchedule"] == {"exponent": 1, "rate": 0.05, "takerOnly": True, "rebateRate": 0.25}
        replica.clock.set(NOW)
        enabled = [market(replica, key)["feesEnabled"] for key in ids]
    assert set(enabled) == {True, False}


def test_tags_come_with_the_event_or_when_asked_for(replica: RunningReplica, known: Json) -> None:
    plain = market(replica, known["open"])
    assert "tags" not in plain
    assert "tags" not in plain["events"][0] and plain["events"][0]["slug"] == "open-market-event"
    tagged = market(replica, known["open"], include_tag="true")
    assert [tag["label"] for tag in tagged["tags"]] == ["Politics", "Hide From New"]
    (event,) = gamma_rows(replica, "events", slug="open-market-event")
    assert [tag["slug"] for tag in event["tags"]] == ["politics", "hide-from-new"]


def test_events_embed_their_markets(replica: RunningReplica, known: Json) -> None:
    (event,) = gamma_rows(replica, "events", slug="who-wins")
    assert [row["conditionId"] for row in event["markets"]] == known["family"]
    assert event["negRisk"] and all(row["negRisk"] for row in event["markets"])
    (bare,) = gamma_rows(replica, "events", slug="who-wins", include_markets="false")
    assert "markets" not in bare


def test_filters(replica: RunningReplica, known: Json) -> None:
    assert gamma_rows(replica, "markets", tag_id="2", limit=100)
    assert gamma_rows(replica, "markets", tag_id="1") == []
    assert gamma_rows(replica, "events", tag_slug="politics", limit=100)
    big = gamma_rows(replica, "markets", volume_num_min=1000)
    assert [row["conditionId"] for row in big] == [known["open"]]
    late = gamma_rows(replica, "markets", end_date_min="2026-03-12T00:00:00Z")
    assert late == []
    several = {"slug": ["open-market", "candidate-1"]}
    assert len(gamma_rows(replica, "markets", **several)) == 2
    resolved = {"closed": "true", "uma_resolution_status": "resolved"}
    rows = gamma_rows(replica, "markets", **resolved)
    assert {row["conditionId"] for row in rows} == {known[name] for name in ("resolved", "void", "fifty")}


def test_unlisted_and_future_markets_are_nowhere(replica: RunningReplica, known: Json) -> None:
    def ids() -> set[str]:
        found = [
            row["conditionId"]
            for closed in ("true", "false")
            for row in gamma_rows(replica, "markets", closed=closed, limit=100)
        ]
        return set(found)

    assert not {known["unlisted"], known["combo"], known["later"]} & ids()
    replica.clock.advance(600)
    row = market(replica, known["later"])
    assert (row["active"], row["acceptingOrders"]) == (False, False)
    replica.clock.advance(600)
    assert market(replica, known["later"])["acceptingOrders"] is True


# -- the lists that are going away ------------------------------------------------------------


def test_offset_lists_are_bare_and_announce_their_end(crowd: RunningReplica) -> None:
    answer = get(f"{crowd.gamma_api_url}/markets", limit=500, offset=200)
    rows = answer.json()
    assert len(rows) == 50
    assert {row["closed"] for row in rows} == {False}
    assert answer.headers["deprecation"] == "true"
    assert answer.headers["warning"] == '299 - "use /markets/keyset"'
    assert "sunset" in answer.headers
    deep = get(f"{crowd.gamma_api_url}/markets", offset=2001)
    assert deep.status_code == 422
    assert "use /markets/keyset" in deep.json()["error"]


def test_tags_list(replica: RunningReplica) -> None:
    rows = get(f"{replica.gamma_api_url}/tags").json()
    assert [(row["id"], row["slug"]) for row in rows] == [("2", "politics"), ("102169", "hide-from-new")]


def test_single_objects_that_do_not_exist(replica: RunningReplica) -> None:
    for path in ("markets/1", "markets/slug/none", "events/1", "events/slug/none"):
        assert get(f"{replica.gamma_api_url}/{path}").status_code == 404
    event = get(f"{replica.gamma_api_url}/events/slug/who-wins").json()
    assert event["title"] == "who wins"
