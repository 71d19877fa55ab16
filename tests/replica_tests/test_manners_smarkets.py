"""Smarkets' manners. Where a quirk bites, a naive client is shown to lose markets or to take signs for prices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.replica.server import RunningReplica, serve
from tests.replica.venues import smarkets
from tests.replica.venues.smarkets_world import LADDER_END_QUANTITY, SmarketsWorld, build_world
from tests.replica.world import World
from tests.replica_tests import tiny
from tests.replica_tests.tiny import DAY, NOW

Json = dict[str, Any]
TOPICS = ("politics", "current_affairs", "tv_and_entertainment")


class Time:
    """A server's own clock, moved by the test."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="module")
def listed() -> SmarketsWorld:
    return build_world(seed=7, ends_at=NOW)


@pytest.fixture(scope="module")
def replica(tiny_world: tuple[World, Json], listed: SmarketsWorld) -> Iterator[RunningReplica]:
    manners = smarkets.Manners(limit=100_000)
    with serve(tiny_world[0], now=NOW, mounts=[smarkets.mount(smarkets.WorldListing(listed), manners)]) as running:
        yield running


def get(replica: RunningReplica, path: str, params: Any = None) -> requests.Response:
    return requests.get(f"{replica.url}/smarkets/v3{path}", params=params, timeout=10)


def all_events(replica: RunningReplica, params: list[tuple[str, str]]) -> list[Json]:
    query: Any = params
    rows: list[Json] = []
    url = f"{replica.url}/smarkets/v3/events/"
    for _ in range(200):
        body = requests.get(url, params=query, timeout=10).json()
        rows += body["events"]
        if body["pagination"]["next_page"] is None:
            return rows
        url, query = f"{replica.url}/smarkets/v3/events/{body['pagination']['next_page']}", None
    raise AssertionError("the pages never end")


def test_pages_follow_the_query_string_in_the_order_of_ids(replica: RunningReplica, listed: SmarketsWorld) -> None:
    wanted = [("type_domain", topic) for topic in TOPICS]
    whole = all_events(replica, [*wanted, ("limit", "1000")])
    for limit in ("3", "7"):
        rows = all_events(replica, [*wanted, ("limit", limit)])
        assert rows == whole
    ids = [int(row["id"]) for row in whole]
    assert ids == sorted(ids)
    # Ids are texts: read as such, 95 would come after 102.
    assert [str(number) for number in ids] != sorted(str(number) for number in ids)
    # Only one page is read by whoever ignores `pagination`: twenty of them.
    assert len(get(replica, "/events/").json()["events"]) == 20 < len(whole)
    assert {row["type"] for row in whole} == {"politics", "current_affairs", "tv_entertainment"}
    assert {row["type"] for row in all_events(replica, [("limit", "1000")])} > {"politics", "football_match"}


def test_only_leaves_have_markets(replica: RunningReplica) -> None:
    events = all_events(replica, [("limit", "1000")])
    trunks = [row["id"] for row in events if not row["bettable"]]
    leaves = [row["id"] for row in events if row["bettable"]]
    assert get(replica, f"/events/{','.join(trunks[:50])}/markets/").json() == {"markets": []}
    markets = get(replica, f"/events/{','.join(leaves[:50])}/markets/").json()["markets"]
    assert {market["event_id"] for market in markets} == set(leaves[:50])
    known = {row["id"] for row in events}
    assert all(row["parent_id"] in known for row in events if row["bettable"])


def test_what_is_settled_is_not_listed_unless_asked_for(replica: RunningReplica, listed: SmarketsWorld) -> None:
    leaves = [event for event in listed.events if event.is_leaf and listed.exists(event, NOW)]
    over = {event.id for event in leaves if listed.event_state(event, NOW) in ("settled", "ended", "cancelled")}
    assert over
    assert not over & {row["id"] for row in all_events(replica, [("limit", "1000")])}
    states = [("state", state) for state in ("ended", "settled", "cancelled", "suspended")]
    assert {row["id"] for row in all_events(replica, [*states, ("limit", "1000")])} == over
    # And by id they need their states as well.
    some = sorted(over)[0]
    assert get(replica, "/events/", {"id": some}).json()["events"] == []
    assert get(replica, "/events/", [("id", some), *states]).json()["events"][0]["id"] == some
    # Their markets and contracts can still be asked for, with what came out.
    market = listed.markets_by_event[some][0]
    contracts = get(replica, f"/markets/{market.id}/contracts/").json()["contracts"]
    assert {row["state_or_outcome"] for row in contracts} <= {"winner", "loser", "deadheat", "voided", "halted"}


def test_modified_says_what_changed_since(replica: RunningReplica, listed: SmarketsWorld) -> None:
    states = [("state", state) for state in smarkets.STATES]
    since = "2026-02-27T00:00:00Z"
    rows = all_events(replica, [*states, ("limit", "1000"), ("last_modified_min", since)])
    decided = {
        event.id
        for event in listed.events
        if event.question and NOW - 2 * DAY <= event.question.decided_at <= NOW and listed.exists(event, NOW)
    }
    assert decided
    assert decided <= {row["id"] for row in rows}
    assert all(row["modified"] >= "2026-02-27" for row in rows)


@pytest.mark.parametrize("what, path", [
    ("markets", "/events/{}/markets/"),
    ("contracts", "/markets/{}/contracts/"),
    ("quotes", "/markets/{}/quotes/"),
    ("last_executed_prices", "/markets/{}/last_executed_prices/"),
    ("volumes", "/markets/{}/volumes/"),
])  # fmt: skip
def test_batches_have_caps(replica: RunningReplica, what: str, path: str) -> None:
    cap = smarkets.CAPS[what]
    fits = ",".join(str(number) for number in range(1, cap + 1))
    assert get(replica, path.format(fits)).status_code == 200
    refused = get(replica, path.format(f"{fits},{cap + 1}"))
    assert (refused.status_code, refused.json()["error_type"]) == (414, "REQUEST_TOO_LARGE")
    assert get(replica, path.format("7,7")).json()["error_type"] == "REQUEST_VALIDATION_ERROR"
    assert get(replica, path.format("seven")).status_code == 400


def test_books_are_keyed_unordered_and_end_in_signs(replica: RunningReplica, listed: SmarketsWorld) -> None:
    open_ones = [market for market in listed.markets if listed.market_state(market, NOW - 30) == "open"]
    books = get(replica, f"/markets/{','.join(market.id for market in open_ones)}/quotes/").json()
    contracts = {contract.id: (market, contract) for market in open_ones for contract in market.contracts}
    assert set(books) < set(contracts)  # a contract without a price is absent
    fooled = 0
    for contract_id, book in books.items():
        bids, offers = listed.levels(*contracts[contract_id], NOW - 30)
        real = [row for row in book["bids"] if row["quantity"] != LADDER_END_QUANTITY]
        assert sorted((row["price"], row["quantity"]) for row in real) == sorted(bids)
        real = [row for row in book["offers"] if row["quantity"] != LADDER_END_QUANTITY]
        assert sorted((row["price"], row["quantity"]) for row in real) == sorted(offers)
        # Whoever takes the first level for the best, or a ladder's end for an offer, has a wrong price.
        first = book["offers"][0]["price"] if book["offers"] else None
        fooled += first != (min(offers)[0] if offers else None)
    assert fooled > len(books) / 4


def test_last_prices_are_percentages_in_texts(replica: RunningReplica, listed: SmarketsWorld) -> None:
    market = next(
        market
        for market in listed.markets
        if listed.market_state(market, NOW) == "open"
        and any(listed.last_trade(market, contract, NOW - 30) for contract in market.contracts)
    )
    rows = get(replica, f"/markets/{market.id}/last_executed_prices/").json()["last_executed_prices"][market.id]
    for row, contract in zip(rows, market.contracts, strict=True):
        last = listed.last_trade(market, contract, NOW - 30)
        if last is None:
            assert (row["last_executed_price"], row["timestamp"]) == (None, None)
        else:
            assert isinstance(row["last_executed_price"], str)
            assert round(float(row["last_executed_price"]) * 100) == last[0]


def test_prices_without_a_session_are_delayed(tiny_world: tuple[World, Json], listed: SmarketsWorld) -> None:
    hour = NOW - NOW % 3600
    with serve(tiny_world[0], now=hour, mounts=[smarkets.mount(smarkets.WorldListing(listed))]) as running:
        open_ones = [market for market in listed.markets if listed.market_state(market, hour) == "open"]
        path = f"/markets/{','.join(market.id for market in open_ones)}/quotes/"
        before = get(running, path).json()
        running.clock.advance(29)
        assert get(running, path).json() == before
        running.clock.advance(1)
        assert get(running, path).json() != before


def test_the_rate_limit_is_announced_and_enforced(tiny_world: tuple[World, Json], listed: SmarketsWorld) -> None:
    clock = Time()
    manners = smarkets.Manners(clock=clock)
    with serve(tiny_world[0], now=NOW, mounts=[smarkets.mount(smarkets.WorldListing(listed), manners)]) as running:
        answers = []
        for _ in range(20):
            answers.append(get(running, "/events/", {"limit": 1}))
            clock.seconds += 1
        assert [answer.status_code for answer in answers] == [200] * 20
        assert [int(answer.headers["x-ratelimit-remaining"]) for answer in answers] == list(range(19, -1, -1))
        refused = get(running, "/events/", {"limit": 1})
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "40"
        assert refused.json()["error_type"] == "RATE_LIMIT_EXCEEDED"
        assert refused.json()["data"]["limit"] == 20
        clock.seconds += 40
        assert get(running, "/events/", {"limit": 1}).status_code == 200
        assert get(running, "/events/", {"limit": 1}).status_code == 429


def test_mistakes_are_named(replica: RunningReplica) -> None:
    wrongs: list[dict[str, Any]] = [{"state": "open"}, {"limit": 1001}, {"limit": 0}, {"type_domain": "x"}, {"stat": 1}]
    for wrong in wrongs:
        answer = get(replica, "/events/", wrong)
        assert (answer.status_code, answer.json()["error_type"]) == (400, "REQUEST_VALIDATION_ERROR")


def test_every_kind_of_ending_occurs(listed: SmarketsWorld) -> None:
    truth = listed.truth(NOW)
    assert {row.status for row in truth} == {"upcoming", "open", "suspended", "resolved", "voided"}
    assert {str(row.payout) for row in truth} == {"None", "0", "1", "0.5"}
    assert any(market.question.winners == 2 for market in listed.markets)
    # Whatever stays the same must be the same everywhere: the world is a function of its seed.
    assert build_world(seed=7, ends_at=NOW).truth(NOW) == truth
    assert tiny.NOW == NOW
