"""Reading Smarkets: everything that is listed, in batches that it takes, at a pace that it allows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from extract.http import VenueError
from extract.settings import UsageError
from extract.smarkets import Smarkets, _quotes
from extract.smarkets.settings import SmarketsSettings
from tests.extract.markets import run_market
from tests.replica.server import RunningReplica, serve
from tests.replica.venues import smarkets
from tests.replica.venues.smarkets_world import SmarketsWorld, build_world
from tests.replica.world import World

NOW = 1_772_323_200
TOPICS = {"politics", "current_affairs", "tv_and_entertainment"}


@dataclass
class Venue:
    replica: RunningReplica
    world: SmarketsWorld
    manners: smarkets.Manners

    def paths(self) -> list[str]:
        return [entry.path for entry in self.replica.requests]


@pytest.fixture(scope="module")
def listed() -> SmarketsWorld:
    return build_world(seed=3, ends_at=NOW, count=130)


@pytest.fixture
def venue(world: World, listed: SmarketsWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[Venue]:
    manners = smarkets.Manners(limit=100_000)
    with serve(world, now=NOW, mounts=[smarkets.mount(smarkets.WorldListing(listed), manners)]) as replica:
        monkeypatch.setenv("SOURCES__SMARKETS__BASE_URL", f"{replica.url}/smarkets/v3")
        monkeypatch.setenv("SOURCES__SMARKETS__REQUESTS_PER_SECOND", "500")
        monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0")
        yield Venue(replica, listed, manners)


def undecided(world: SmarketsWorld) -> list[Any]:
    return [
        market
        for market in world.markets
        if market.question.topic in TOPICS and market.question.opens_at - 86_400 <= NOW < market.question.decided_at
    ]


def test_everything_undecided_is_read_and_nothing_else(venue: Venue) -> None:
    run, rows = run_market(Smarkets())
    assert run.tally.walks_failed == 0
    markets = undecided(venue.world)
    assert {row["id"] for row in rows["markets"]} == {market.id for market in markets}
    contracts = {contract.id for market in markets for contract in market.contracts}
    assert {row["id"] for row in rows["contracts"]} == contracts
    for table in ("quotes", "last_prices"):
        assert sorted(row["contract_id"] for row in rows[table]) == sorted(contracts)
    assert {row["market_id"] for row in rows["volumes"]} == {market.id for market in markets}
    assert {walk["status"] for walk in rows["walks"]} == {"completed"}


def test_rows_are_the_venues_own_text_with_ids_before_it(venue: Venue) -> None:
    _, rows = run_market(Smarkets())
    books = {row["contract_id"]: json.loads(row["payload"]) for row in rows["quotes"]}
    missing = 0
    for market in undecided(venue.world):
        for contract in market.contracts:
            sent = venue.world.book(market, contract, NOW - venue.manners.delay)
            own = {"contract_id": contract.id, "market_id": market.id}
            assert books[contract.id] == {**own, **(sent or {})}
            missing += sent is None
    # A contract that is absent from the answer has a row that says so.
    assert missing > 0
    # Whatever keys a market brings stay inside its payload.
    assert set(rows["markets"][0]) == {
        "id", "event_id", "state", "payload", "fetched_at", "walk_id", "walk_position",
    }  # fmt: skip


def test_requests_keep_to_the_caps_and_are_few(venue: Venue) -> None:
    _, rows = run_market(Smarkets())
    caps = {"markets": 50, "contracts": 100, "quotes": 200, "last_executed_prices": 100, "volumes": 300}
    sizes: dict[str, list[int]] = {}
    for path in venue.paths():
        match = re.fullmatch(r"/smarkets/v3/(?:events|markets)/([0-9,]+)/(\w+)/", path)
        if match:
            sizes.setdefault(match[2], []).append(len(match[1].split(",")))
    assert set(sizes) == set(caps)
    for what, cap in caps.items():
        assert max(sizes[what]) <= cap
        assert len(sizes[what]) == -(-sum(sizes[what]) // cap)
    assert max(sizes["markets"]) == 50  # the world is larger than a batch
    assert len(venue.replica.requests) == 1 + sum(len(of) for of in sizes.values())


def test_pages_of_events_are_followed(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extract.smarkets.EVENTS_PAGE", 7)
    _, rows = run_market(Smarkets())
    ids = [row["id"] for row in rows["events"]]
    assert len(ids) == len(set(ids)) > 50
    assert {row["id"] for row in rows["markets"]} == {market.id for market in undecided(venue.world)}
    asked = [entry.query for entry in venue.replica.requests if entry.path.endswith("/events/")]
    assert len(asked) == -(-len(ids) // 7)
    assert all(query.count("type_domain=") == 3 and query.count("state=") == 5 for query in asked)


def test_what_is_listed_no_more_is_asked_for_by_its_market(venue: Venue) -> None:
    over = [market for market in venue.world.markets if NOW >= market.question.decided_at][:4]
    _, rows = run_market(Smarkets(), due=[market.id for market in over])
    states = {row["id"]: row["state_or_outcome"] for row in rows["contracts"]}
    for market in over:
        for contract in market.contracts:
            assert states[contract.id] == venue.world.contract_state(market, contract, NOW)
    quoted = {row["contract_id"] for row in rows["quotes"]}
    assert not quoted & {contract.id for market in over for contract in market.contracts}


def test_the_default_pace_fits_the_published_limit() -> None:
    # 20 requests in 60 seconds, whichever 60 seconds one takes.
    assert int(SmarketsSettings().requests_per_second * 60) + 1 <= 20


def test_a_refused_request_is_made_again(venue: Venue) -> None:
    venue.replica.faults.add("rate_limited", path="/contracts/", times=2, retry_after=0)
    venue.replica.faults.add("error", path="/quotes/", status=503, times=1)
    run, rows = run_market(Smarkets())
    assert run.tally.walks_failed == 0
    assert {row["id"] for row in rows["markets"]} == {market.id for market in undecided(venue.world)}


def test_a_venue_that_is_down_fails_its_walks(venue: Venue) -> None:
    venue.replica.faults.add("error", path="/quotes/", status=503)
    run, rows = run_market(Smarkets())
    assert run.tally.walks_failed == 1
    assert "answered 503" in next(iter(run.tally.failures))
    # What could be read is there, and the failed walk says so.
    assert rows["last_prices"]
    assert [walk["status"] for walk in rows["walks"] if walk["resource"] == "quotes"] == ["failed"]


@pytest.mark.parametrize("kind", ["html", "bad_json", "empty"])
def test_nonsense_is_a_failed_walk(venue: Venue, kind: str) -> None:
    venue.replica.faults.add(kind, path="/contracts/")
    run, rows = run_market(Smarkets())
    assert run.tally.walks_failed > 0 or kind == "empty"
    assert all(walk["error"] for walk in rows["walks"] if walk["status"] == "failed")


def test_pages_that_lead_nowhere_end(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extract.smarkets.EVENTS_PAGE", 7)
    monkeypatch.setattr(
        "tests.replica.venues.smarkets._EventQuery.following", lambda self, last: "?pagination_last_id=5"
    )
    run, _ = run_market(Smarkets())
    assert "leads back to an earlier page" in next(iter(run.tally.failures))


def test_quotes_of_strangers_are_refused() -> None:
    with pytest.raises(VenueError, match="not asked for"):
        _quotes({"1": "9"}, b'{"2":{"bids":[],"offers":[]}}')


def test_settings_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__SMARKETS__DOMAINS", " , ")
    with pytest.raises(UsageError, match="SOURCES__SMARKETS__DOMAINS"):
        Smarkets()
    monkeypatch.setenv("SOURCES__SMARKETS__DOMAINS", "politics")
    monkeypatch.setenv("SOURCES__SMARKETS__BASE_URL", "api.smarkets.com")
    with pytest.raises(UsageError, match="SOURCES__SMARKETS__BASE_URL"):
        Smarkets()
