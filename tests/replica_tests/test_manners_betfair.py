"""Betfair's manners. Where a quirk bites, a naive client is shown to lose markets."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import requests

from tests.replica.server import RunningReplica, serve
from tests.replica.venues import betfair
from tests.replica.venues.betfair_world import BetfairWorld, build_world, probability, tick_at_least, tick_at_most
from tests.replica.world import World
from tests.replica_tests.tiny import DAY, NOW

Json = dict[str, Any]
POLITICS = "2378961"


@pytest.fixture(scope="module")
def listed() -> BetfairWorld:
    return build_world(seed=7, ends_at=NOW)


@pytest.fixture
def manners() -> betfair.Manners:
    return betfair.Manners()


@pytest.fixture
def replica(tiny_world: tuple[World, Json], listed: BetfairWorld, manners: betfair.Manners) -> Iterator[RunningReplica]:
    with serve(tiny_world[0], now=NOW, mounts=[betfair.mount(betfair.WorldListing(listed), manners)]) as running:
        yield running


class Client:
    """A logged-in client that knows nothing of the manners."""

    def __init__(self, replica: RunningReplica, manners: betfair.Manners) -> None:
        self.url = f"{replica.url}/betfair"
        self.manners = manners
        self.token = self.login()

    def login(self) -> str:
        form = {"username": self.manners.username, "password": self.manners.password}
        headers = {"X-Application": self.manners.app_key}
        token: str = requests.post(f"{self.url}/api/login", data=form, headers=headers, timeout=10).json()["token"]
        return token

    def call(self, method: str, headers: dict[str, str] | None = None, **params: Any) -> Json:
        sent = {"X-Application": self.manners.app_key, "X-Authentication": self.token} if headers is None else headers
        body = {"jsonrpc": "2.0", "id": 1, "method": f"SportsAPING/v1.0/{method}", "params": params}
        answer = requests.post(f"{self.url}/exchange/betting/json-rpc/v1", json=body, headers=sent, timeout=10)
        assert answer.status_code == 200
        result: Json = answer.json()
        return result

    def error(self, method: str, headers: dict[str, str] | None = None, **params: Any) -> str:
        error = self.call(method, headers, **params)["error"]
        if "data" not in error:
            return str(error["code"])
        code: str = error["data"]["APINGException"]["errorCode"]
        assert error["message"] == f"ANGX-{betfair.CODES[code]:04}"
        return code


@pytest.fixture
def client(replica: RunningReplica, manners: betfair.Manners) -> Client:
    return Client(replica, manners)


def test_logins_are_refused_with_200(replica: RunningReplica, manners: betfair.Manners) -> None:
    headers = {"X-Application": manners.app_key}
    form = {"username": manners.username, "password": "wrong"}
    for path, word in (("login", "status"), ("certlogin", "loginStatus")):
        answer = requests.post(f"{replica.url}/betfair/api/{path}", data=form, headers=headers, timeout=10)
        assert answer.status_code == 200
        assert answer.json()[word] != "SUCCESS"
    form["password"] = manners.password
    answer = requests.post(f"{replica.url}/betfair/api/certlogin", data=form, headers=headers, timeout=10).json()
    assert answer["loginStatus"] == "SUCCESS" and answer["sessionToken"]


def test_errors_come_with_200(client: Client, replica: RunningReplica, manners: betfair.Manners) -> None:
    key = {"X-Application": manners.app_key}
    wanted: Json = {"filter": {}}
    assert client.error("listEventTypes", {}, **wanted) == "NO_APP_KEY"
    assert client.error("listEventTypes", {"X-Application": "x"}, **wanted) == "INVALID_APP_KEY"
    assert client.error("listEventTypes", key, **wanted) == "NO_SESSION"
    assert client.error("listEventTypes", {**key, "X-Authentication": "x"}, **wanted) == "INVALID_SESSION_INFORMATION"
    assert client.error("listEventTypes") == "-32602"
    assert client.error("listNothing") == "-32601"
    assert client.error("listEventTypes", filter={"eventTypeId": ["1"]}) == "-32602"
    manners.refuse_next("SERVICE_BUSY")
    assert client.error("listEventTypes", **wanted) == "SERVICE_BUSY"
    assert client.call("listEventTypes", **wanted)["result"]


def test_a_session_ends(client: Client, replica: RunningReplica, manners: betfair.Manners) -> None:
    assert client.call("listEventTypes", filter={})["result"]
    replica.clock.advance(manners.session_seconds)
    assert client.error("listEventTypes", filter={}) == "INVALID_SESSION_INFORMATION"
    client.token = client.login()
    assert client.call("listEventTypes", filter={})["result"]
    manners.end_sessions()
    assert client.error("listEventTypes", filter={}) == "INVALID_SESSION_INFORMATION"


def test_types_are_found_by_name(client: Client) -> None:
    types = {row["eventType"]["name"]: row for row in client.call("listEventTypes", filter={})["result"]}
    assert set(types) == {"Politics", "Special Bets", "Soccer"}
    rows = client.call("listMarketCatalogue", filter={"eventTypeIds": [POLITICS]}, maxResults=1000)["result"]
    assert len(rows) == types["Politics"]["marketCount"]


def test_requests_have_a_weight(client: Client, manners: betfair.Manners) -> None:
    def catalogue(most: int, *projections: str) -> str | None:
        answer = client.call("listMarketCatalogue", filter={}, maxResults=most, marketProjection=list(projections))
        return answer["error"]["data"]["APINGException"]["errorCode"] if "error" in answer else None

    assert catalogue(1000, "EVENT", "RUNNER_DESCRIPTION") is None
    assert catalogue(1001) == "TOO_MUCH_DATA"
    assert catalogue(200, "MARKET_DESCRIPTION") is None
    assert catalogue(201, "MARKET_DESCRIPTION") == "TOO_MUCH_DATA"
    assert catalogue(100, "MARKET_DESCRIPTION", "RUNNER_METADATA") is None
    assert catalogue(101, "MARKET_DESCRIPTION", "RUNNER_METADATA") == "TOO_MUCH_DATA"
    ids = [f"1.{number}" for number in range(250)]
    best = {"priceData": ["EX_BEST_OFFERS"]}
    assert client.call("listMarketBook", marketIds=ids[:40], priceProjection=best)["result"] == []
    assert client.error("listMarketBook", marketIds=ids[40:81], priceProjection=best) == "TOO_MUCH_DATA"
    assert client.call("listMarketBook", marketIds=ids[100:200])["result"] == []
    assert client.error("listMarketBook", marketIds=ids[:101]) == "TOO_MUCH_DATA"
    assert [call.weight for call in manners.calls[-4:]] == [200, 205, 200, 202]
    assert betfair.book_weight({"priceData": ["EX_BEST_OFFERS", "EX_TRADED"]}) == 20
    assert betfair.book_weight({"priceData": ["EX_ALL_OFFERS", "EX_TRADED"]}) == 32
    deep = {"priceData": ["EX_BEST_OFFERS"], "exBestOffersOverrides": {"bestPricesDepth": 10}}
    assert betfair.book_weight(deep) == Fraction(50, 3)


def test_one_market_may_be_asked_five_times_a_second(client: Client, manners: betfair.Manners) -> None:
    manners.clock = lambda: 7.0
    for _ in range(5):
        assert "result" in client.call("listMarketBook", marketIds=["1.250000000"])
    assert client.error("listMarketBook", marketIds=["1.250000000"]) == "TOO_MANY_REQUESTS"
    manners.clock = lambda: 8.0
    assert "result" in client.call("listMarketBook", marketIds=["1.250000000"])


def test_lists_end_at_max_results(client: Client, listed: BetfairWorld) -> None:
    known = [market for market in listed.markets if listed.is_listed(market, NOW)]
    rows = client.call("listMarketCatalogue", filter={}, maxResults=1000, sort="FIRST_TO_START")["result"]
    assert len(rows) == len(known)
    # There is no cursor: whoever asks for three has three and cannot tell.
    cut = client.call("listMarketCatalogue", filter={}, maxResults=3, sort="FIRST_TO_START")
    assert set(cut) == {"jsonrpc", "id", "result"} and cut["result"] == rows[:3]
    # Windows of start times bring them all.
    start = [market.question.closes_at for market in known]
    middle = sorted(start)[len(start) // 2]
    windows = [{"to": _iso(middle)}, {"from": _iso(middle + 1)}]
    parts = [
        client.call("listMarketCatalogue", filter={"marketStartTime": window}, maxResults=1000)["result"]
        for window in windows
    ]
    assert sorted(row["marketId"] for part in parts for row in part) == sorted(market.id for market in known)


def _iso(at: int) -> str:
    return betfair.iso(at)


def test_closed_books_must_be_asked_for_apart(client: Client, listed: BetfairWorld) -> None:
    closed = [market.id for market in listed.markets if listed.state(market, NOW) == "CLOSED"][:3]
    others = [market.id for market in listed.markets if listed.state(market, NOW) == "OPEN"][:3]
    assert closed and others
    together = client.call("listMarketBook", marketIds=[*closed, *others])["result"]
    assert {row["marketId"] for row in together} == set(others)
    apart = client.call("listMarketBook", marketIds=closed)["result"]
    assert {row["status"] for row in apart} == {"CLOSED"} and len(apart) == len(closed)
    listing = client.call("listMarketCatalogue", filter={}, maxResults=1000)["result"]
    assert not {row["marketId"] for row in listing} & set(closed)


def test_books_show_what_they_have(client: Client, listed: BetfairWorld) -> None:
    known = [market for market in listed.markets if NOW >= market.question.opens_at - DAY]
    truth = {(row.market_id, row.selection_id): row for row in listed.truth(NOW)}
    states, runners = set(), []
    for market in known:
        book = client.call("listMarketBook", marketIds=[market.id], priceProjection={"priceData": ["EX_BEST_OFFERS"]})
        for answer in book["result"]:
            states.add(answer["status"])
            runners += [(answer, runner) for runner in answer["runners"]]
    assert states == {"INACTIVE", "OPEN", "SUSPENDED", "CLOSED"}
    assert {runner["status"] for _, runner in runners} == {"ACTIVE", "WINNER", "LOSER", "REMOVED"}
    assert any("ex" not in runner for answer, runner in runners if answer["status"] == "SUSPENDED")
    assert any("lastPriceTraded" not in runner for _, runner in runners)
    kinds = {type(level["price"]) for _, runner in runners for level in runner.get("ex", {}).get("availableToBack", [])}
    assert kinds == {int, float}
    for answer, runner in runners:
        row = truth[(answer["marketId"], runner["selectionId"])]
        lays = runner.get("ex", {}).get("availableToLay", [])
        if row.bid is not None:
            assert row.bid == probability(round(min(level["price"] for level in lays) * 100))


def test_odds_lie_on_the_ladder() -> None:
    assert [tick_at_most(odds) for odds in (101, 199, 201, 307, 1_070, 99_999)] == [101, 199, 200, 305, 1_050, 99_000]
    assert [tick_at_least(odds) for odds in (50, 201, 306, 1_051, 99_001)] == [101, 202, 310, 1_100, 100_000]
    # 1 / 8.4 and 1 / 3
    assert probability(840) == Decimal("0.119047619")
    assert probability(300) == Decimal("0.333333333")
    assert probability(600) == Decimal("0.166666667")
