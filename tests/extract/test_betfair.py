"""Reading Betfair: every market of a kind, in requests that weigh no more than allowed, and never a secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from extract.betfair import Betfair
from extract.price_venue import Found
from extract.settings import UsageError
from tests.extract.markets import run_market
from tests.replica.server import RunningReplica, serve
from tests.replica.venues import betfair
from tests.replica.venues.betfair_world import BetfairWorld, build_world
from tests.replica.venues.questions import build_questions
from tests.replica.world import World

NOW = 1_772_323_200


@dataclass
class Venue:
    replica: RunningReplica
    world: BetfairWorld
    manners: betfair.Manners

    def errors(self) -> list[str]:
        return [call.error for call in self.manners.calls if call.error is not None]


@pytest.fixture(scope="module")
def listed() -> BetfairWorld:
    return build_world(seed=3, ends_at=NOW, count=90)


def serving(world: World, listed: BetfairWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[Venue]:
    manners = betfair.Manners()
    with serve(world, now=NOW, mounts=[betfair.mount(betfair.WorldListing(listed), manners)]) as replica:
        settings = {
            "USERNAME": manners.username,
            "PASSWORD": manners.password,
            "APP_KEY": manners.app_key,
            "API_URL": f"{replica.url}/betfair/exchange",
            "IDENTITY_URL": f"{replica.url}/betfair/api",
            "EVENT_TYPES": "Politics, Special Bets",
            "REQUESTS_PER_SECOND": "500",
        }
        for name, value in settings.items():
            monkeypatch.setenv(f"SOURCES__BETFAIR__{name}", value)
        monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0")
        yield Venue(replica, listed, manners)


@pytest.fixture
def venue(world: World, listed: BetfairWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[Venue]:
    yield from serving(world, listed, monkeypatch)


def shown(world: BetfairWorld) -> set[str]:
    return {
        market.id for market in world.markets if world.is_listed(market, NOW) and market.question.topic != "football"
    }


def test_every_market_of_the_chosen_kinds_has_its_book(venue: Venue) -> None:
    run, rows = run_market(Betfair())
    assert run.tally.walks_failed == 0
    assert {row["market_id"] for row in rows["markets"]} == shown(venue.world)
    assert sorted(row["market_id"] for row in rows["books"]) == sorted(shown(venue.world))
    assert {json.loads(row["payload"])["eventType"]["name"] for row in rows["markets"]} == {"Politics", "Special Bets"}
    assert venue.manners.logins == 1
    assert not venue.errors()


def test_numbers_stay_as_they_were_written(venue: Venue) -> None:
    """A price of 6 and one of 6.4 are texts inside a payload: neither becomes a column of its own, nor a float."""
    _, rows = run_market(Betfair())
    text = "".join(row["payload"] for row in rows["books"])
    assert '"price":6,' in text or '"price":3,' in text or '"price":4,' in text
    assert set(rows["books"][0]) == {
        "market_id", "status", "last_match_time", "payload", "fetched_at", "walk_id", "walk_position",
    }  # fmt: skip


def test_requests_weigh_what_is_allowed_and_not_much_less(venue: Venue) -> None:
    run_market(Betfair())
    by_method: dict[str, list[betfair.Call]] = {}
    for call in venue.manners.calls:
        by_method.setdefault(call.method, []).append(call)
    assert all(call.weight <= betfair.WEIGHT_LIMIT for call in venue.manners.calls)
    books = by_method["listMarketBook"]
    assert max(call.weight for call in books) == betfair.WEIGHT_LIMIT
    # As few requests as that weight lets them be.
    assert len(books) == -(-len(shown(venue.world)) // 40)


def test_long_lists_are_parted_by_start(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of five: windows that end full are followed by others; those that start together are parted by event."""
    questions = [replace(q, topic="politics") for q in build_questions(5, 40, NOW)]
    late = max(question.closes_at for question in questions)
    together = [replace(q, closes_at=late, decided_at=late + 1, opens_at=NOW - 9) for q in questions[:13]]
    listed = BetfairWorld([*questions[13:], *together], NOW)
    monkeypatch.setattr("extract.betfair.CATALOGUE_PAGE", 5)
    for venue in serving(world, listed, monkeypatch):
        monkeypatch.setenv("SOURCES__BETFAIR__EVENT_TYPES", "Politics")
        run, rows = run_market(Betfair())
        assert run.tally.walks_failed == 0, run.tally.failures
        assert sorted(row["market_id"] for row in rows["markets"]) == sorted(shown(listed))
        assert "listEvents" in {call.method for call in venue.manners.calls}


def test_one_event_with_too_many_markets_is_a_failure_and_no_cut_list(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = build_questions(5, 3, NOW)[2]
    listed = BetfairWorld([replace(question, topic="politics")] * 6, NOW)
    same = [replace(market, event_id="35", betting_type="ODDS") for market in listed.markets]
    listed.markets[:] = same
    monkeypatch.setattr("extract.betfair.CATALOGUE_PAGE", 5)
    for _ in serving(world, listed, monkeypatch):
        monkeypatch.setenv("SOURCES__BETFAIR__EVENT_TYPES", "Politics")
        run, _ = run_market(Betfair())
        assert "more markets" in next(iter(run.tally.failures))


def test_closed_markets_are_asked_for_apart(venue: Venue) -> None:
    over = [market for market in venue.world.markets if venue.world.state(market, NOW) == "CLOSED"]
    still = [market for market in venue.world.markets if market.id in shown(venue.world)][:2]
    # Two of the due ones are open: in one answer with them the closed ones would be missing.
    due = [market.id for market in [*over[:7], *still]] + ["1.999"]
    _, rows = run_market(Betfair(), due=due)
    states = {row["market_id"]: row["status"] for row in rows["books"]}
    assert {states[market.id] for market in over[:7]} == {"CLOSED"}
    assert set(states) == shown(venue.world) | {market.id for market in over[:7]}


def test_a_market_that_closes_between_two_requests_is_not_lost(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    closing = next(market for market in venue.world.markets if venue.world.state(market, NOW) == "OPEN")
    true_state = BetfairWorld.state
    monkeypatch.setattr(
        BetfairWorld,
        "state",
        lambda self, market, now: "CLOSED" if market.id == closing.id else true_state(self, market, now),
    )
    _, rows = run_market(Betfair())
    states = {row["market_id"]: row["status"] for row in rows["books"]}
    assert states[closing.id] == "CLOSED"
    assert set(states) == shown(venue.world)


def test_a_session_that_ends_is_opened_anew(venue: Venue) -> None:
    reading = Betfair()
    run_market(reading)
    venue.manners.calls.clear()
    reading = Betfair()
    list(reading.phases()[0].readings(Found(datetime.now(UTC))))
    reading._session.call("listEventTypes", {"filter": {}})
    venue.manners.end_sessions()
    before = venue.manners.logins
    assert reading._session.call("listEventTypes", {"filter": {}}).rows
    assert venue.manners.logins == before + 1
    assert venue.errors() == ["INVALID_SESSION_INFORMATION"]
    reading.close()


def test_sessions_that_never_last_do_not_lead_to_a_ban(venue: Venue) -> None:
    venue.manners.session_seconds = 0
    run, _ = run_market(Betfair(), due=["1.1", "1.2"])
    assert run.tally.walks_failed > 0
    assert venue.manners.logins <= 3


@pytest.mark.parametrize("code", ["TOO_MANY_REQUESTS", "SERVICE_BUSY", "TIMEOUT_ERROR", "UNEXPECTED_ERROR"])
def test_errors_that_pass_are_waited_out(venue: Venue, code: str) -> None:
    venue.manners.refuse_next(code, times=3)
    run, rows = run_market(Betfair())
    assert run.tally.walks_failed == 0
    assert {row["market_id"] for row in rows["markets"]} == shown(venue.world)
    assert venue.errors() == [code] * 3


@pytest.mark.parametrize("code", ["SERVICE_BUSY", "ACCESS_DENIED", "INVALID_APP_KEY"])
def test_errors_that_stay_are_named(venue: Venue, code: str) -> None:
    venue.manners.refuse_next(code, times=50)
    run, _ = run_market(Betfair())
    assert list(run.tally.failures) == [f"listEventTypes answered {code}"]


def test_no_secret_is_ever_said(
    venue: Venue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "hush-hush-hush"
    monkeypatch.setenv("SOURCES__BETFAIR__PASSWORD", secret)
    run, rows = run_market(Betfair())
    said = [json.dumps(rows, default=str), repr(run.tally), caplog.text, *capfd.readouterr()]
    assert list(run.tally.failures) == ["login was refused: INVALID_USERNAME_OR_PASSWORD"]
    monkeypatch.setenv("SOURCES__BETFAIR__PASSWORD", venue.manners.password)
    for kind in ("error", "html", "reset", "bad_json"):
        venue.replica.faults.add(kind, path="json-rpc")
        run, rows = run_market(Betfair())
        assert run.tally.walks_failed > 0
        said += [json.dumps(rows, default=str), repr(run.tally)]
        venue.replica.faults.clear()
    said += [caplog.text, *capfd.readouterr()]
    for word in (secret, venue.manners.password, venue.manners.app_key, "replica-session-"):
        assert not any(word in text for text in said), word


def test_without_credentials_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USERNAME", "PASSWORD", "APP_KEY"):
        monkeypatch.delenv(f"SOURCES__BETFAIR__{name}", raising=False)
    with pytest.raises(UsageError) as error:
        Betfair()
    message = str(error.value)
    assert message.startswith("betfair is off") and "\n" not in message
    assert all(f"SOURCES__BETFAIR__{name}" in message for name in ("USERNAME", "PASSWORD", "APP_KEY"))


def test_a_kind_that_nobody_knows_is_named(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__BETFAIR__EVENT_TYPES", "Politcs")
    run, rows = run_market(Betfair())
    reason: Any = next(iter(run.tally.failures))
    assert "'Politcs'" in reason and "Politics" in reason
    assert "books" not in rows
