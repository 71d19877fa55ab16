"""Faults: what a client gets, for which requests, and how often."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from tests.replica.faults import KINDS, Fault, Faults
from tests.replica.server import RunningReplica
from tests.replica_tests import tiny
from tests.replica_tests.tiny import ALICE, BOB, NOW, data_pages, data_rows, get, get_dome

TRADES = "^/data-api/v2/trades$"


@pytest.fixture
def faulty(replica: RunningReplica) -> Iterator[RunningReplica]:
    """No fault is left for the next test."""
    yield replica
    replica.faults.clear()


def trades(replica: RunningReplica, **params: Any) -> requests.Response:
    return get(f"{replica.data_api_url}/v2/trades", **({"user": ALICE, "limit": 5} | params))


# -- 429 and 5xx ------------------------------------------------------------------------------


def test_429_with_seconds_to_wait(faulty: RunningReplica) -> None:
    faulty.faults.add("rate_limited", TRADES, times=1, retry_after=3)
    answer = trades(faulty)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    body = answer.json()
    assert (body["code"], body["retryable"]) == ("rate_limited", True)
    assert len(body["trace_id"]) == 32
    assert trades(faulty).status_code == 200


def test_429_with_a_date_to_wait_for(faulty: RunningReplica) -> None:
    faulty.faults.add("rate_limited", TRADES, retry_after=90, http_date=True)
    answer = trades(faulty)
    wait = parsedate_to_datetime(answer.headers["Retry-After"]).timestamp()
    # By the server's clock, which stands in the same answer.
    assert wait - parsedate_to_datetime(answer.headers["Date"]).timestamp() == 90
    assert wait == NOW + 90


@pytest.mark.parametrize(
    ("body", "content_type", "start"),
    [("html", "text/html", "<!DOCTYPE"), ("text", "text/plain", "slow"), ("none", "", "")],
)
def test_429_without_a_word_of_when(faulty: RunningReplica, body: str, content_type: str, start: str) -> None:
    faulty.faults.add("rate_limited", TRADES, body=body)
    answer = trades(faulty)
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers
    assert answer.headers.get("Content-Type", "").startswith(content_type)
    assert answer.text.startswith(start)
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_domes_429_says_in_its_body_when(faulty: RunningReplica) -> None:
    faulty.faults.add("rate_limited", "/dome/", retry_after=7)
    body = get_dome(faulty, "orders", user=ALICE).json()
    assert (body["retry_after"], body["rate_limit"]["reset_time"]) == (7, NOW + 7)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_5xx(faulty: RunningReplica, status: int) -> None:
    faulty.faults.add("error", TRADES, times=2, status=status, body="html")
    assert [trades(faulty).status_code for _ in range(3)] == [status, status, 200]
    faulty.faults.add("error", TRADES, times=1, status=status, retry_after=1)
    answer = trades(faulty)
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["retryable"] is True


# -- connections ------------------------------------------------------------------------------


def test_a_time_out(faulty: RunningReplica) -> None:
    faulty.faults.add("hang", TRADES, times=1, seconds=5)
    started = time.monotonic()
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{faulty.data_api_url}/v2/trades", timeout=0.2)
    assert time.monotonic() - started < 2
    assert trades(faulty).status_code == 200


def test_a_slow_answer(faulty: RunningReplica) -> None:
    faulty.faults.add("hang", TRADES, times=1, seconds=0.2)
    started = time.monotonic()
    assert len(trades(faulty).json()["data"]) == 5
    assert time.monotonic() - started >= 0.2


def test_a_hanging_request_does_not_hold_up_the_others(faulty: RunningReplica) -> None:
    faulty.faults.add("hang", TRADES, query={"user": ALICE}, seconds=5)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{faulty.data_api_url}/v2/trades?user={ALICE}", timeout=0.1)
    started = time.monotonic()
    assert trades(faulty, user=BOB).status_code == 200
    assert time.monotonic() - started < 1


def test_a_body_that_is_cut(faulty: RunningReplica) -> None:
    whole = trades(faulty)
    faulty.faults.add("cut", TRADES, times=1)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        trades(faulty)
    faulty.faults.add("cut", TRADES, times=1)
    url = f"{faulty.data_api_url}/v2/trades"
    query = {"user": ALICE, "limit": "5"}
    with requests.get(url, params=query, stream=True, timeout=10) as answer:
        assert answer.status_code == 200
        promised = int(answer.headers["Content-Length"])
        assert promised == len(whole.content)
        got = answer.raw.read(promised // 2)
        assert got == whole.content[: promised // 2]
        with pytest.raises(Exception, match="IncompleteRead"):
            answer.raw.read(promised)
    assert trades(faulty).json()["data"] == whole.json()["data"]


def test_a_reset_connection(faulty: RunningReplica) -> None:
    faulty.faults.add("reset", TRADES, times=1)
    with pytest.raises(requests.ConnectionError, match="reset|aborted"):
        trades(faulty)
    assert trades(faulty).status_code == 200
    broken, _ = faulty.requests
    assert (broken.status, broken.fault) == (0, "reset")


# -- answers that look fine -------------------------------------------------------------------


def test_200_with_html(faulty: RunningReplica) -> None:
    faulty.faults.add("html", TRADES, times=1)
    answer = trades(faulty)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<html>" in answer.text


def test_200_with_json_that_stops(faulty: RunningReplica) -> None:
    faulty.faults.add("bad_json", TRADES, times=1)
    answer = trades(faulty)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)


@pytest.mark.parametrize("kind", ["repeat", "stuck"])
def test_a_page_repeated_for_ever(faulty: RunningReplica, kind: str) -> None:
    faulty.faults.add(kind, TRADES)
    walk = data_pages(faulty, "trades", user=ALICE, limit=10, most=30)
    pages = list(itertools.islice(walk, 30))
    assert len(pages) == 30
    # "Until there is no next cursor" never ends, and brings nothing new from page 2 or 3 on.
    assert all(page == pages[2] for page in pages[2:])


def test_stuck_pages_name_the_cursor_that_was_sent(faulty: RunningReplica) -> None:
    first = trades(faulty).json()["pagination"]["next_cursor"]
    faulty.faults.add("stuck", TRADES)
    page = trades(faulty, cursor=first).json()
    assert page["pagination"]["next_cursor"] == first
    assert page["data"] != trades(faulty).json()["data"]


@pytest.mark.parametrize("kind", ["markets", "events"])
def test_gamma_pages_repeated_for_ever(faulty: RunningReplica, kind: str) -> None:
    faulty.faults.add("repeat", f"/gamma/{kind}/keyset", skip=1)
    pages = list(tiny.gamma_pages(faulty, kind, limit=2, most=10))
    assert len(pages) == 10 and all(page == pages[0] for page in pages)


def test_dome_pages_repeated_for_ever(faulty: RunningReplica) -> None:
    faulty.faults.add("repeat", "/dome/v1/polymarket/orders")
    first = get_dome(faulty, "orders", user=ALICE, limit=5).json()
    key = {"pagination_key": first["pagination"]["pagination_key"]}
    assert get_dome(faulty, "orders", user=ALICE, limit=5, **key).json() == first


def test_an_empty_page_for_an_active_wallet(faulty: RunningReplica) -> None:
    faulty.faults.add("empty", TRADES, times=1)
    body = trades(faulty).json()
    assert body == {
        "data": [],
        "pagination": {"limit": 5, "offset": 0, "has_more": False, "next_cursor": None},
    }
    # Nothing in the answer says that it is wrong; only what was known before does.
    assert data_rows(faulty, "trades", user=ALICE)


def test_empty_pages_of_the_other_apis(faulty: RunningReplica) -> None:
    faulty.faults.add("empty")
    assert get(f"{faulty.gamma_api_url}/markets/keyset", limit=1).json()["markets"] == []
    assert get(f"{faulty.gamma_api_url}/markets").json() == []
    body = get_dome(faulty, "orders", user=ALICE).json()
    assert (body["orders"], body["pagination"]["total"]) == ([], 0)
    assert "pagination_key" not in body["pagination"]


# -- which requests, how often ----------------------------------------------------------------


def test_a_fault_is_for_a_path(faulty: RunningReplica) -> None:
    faulty.faults.add("error", "^/gamma/")
    assert get(f"{faulty.gamma_api_url}/markets/keyset").status_code == 500
    assert get(f"{faulty.gamma_api_url}/tags").status_code == 500
    assert trades(faulty).status_code == 200


def test_a_fault_is_for_a_wallet(faulty: RunningReplica) -> None:
    faulty.faults.add("error", TRADES, query={"user": ALICE})
    assert trades(faulty, user="0x" + ALICE[2:].upper()).status_code == 500
    assert trades(faulty, user=BOB).status_code == 200


def test_a_fault_in_the_middle_of_a_walk(faulty: RunningReplica) -> None:
    fault = faulty.faults.add("error", TRADES, skip=2, times=1, status=503)
    statuses = [trades(faulty).status_code for _ in range(4)]
    assert statuses == [200, 200, 503, 200]
    assert (fault.seen, fault.hits) == (4, 1)


def test_a_fault_by_chance_is_the_same_every_time(faulty: RunningReplica) -> None:
    def statuses(seed: int) -> list[int]:
        faulty.faults.clear()
        faulty.faults.add("error", TRADES, probability=0.3, seed=seed)
        return [trades(faulty).status_code for _ in range(30)]

    once = statuses(5)
    assert 3 <= once.count(500) <= 18
    assert statuses(5) == once != statuses(6)


def test_the_first_fault_that_strikes_wins(faulty: RunningReplica) -> None:
    faulty.faults.add("error", TRADES, times=1, status=502)
    faulty.faults.add("error", TRADES, times=1, status=504)
    assert [trades(faulty).status_code for _ in range(3)] == [502, 504, 200]


def test_errors_of_the_api_stay_errors(faulty: RunningReplica) -> None:
    for kind in ("cut", "bad_json", "empty"):
        faulty.faults.add(kind, TRADES, times=1)
        assert trades(faulty, offset=1).json()["parameter"] == "offset"


def test_faults_over_http(faulty: RunningReplica) -> None:
    url = f"{faulty.url}/_control/faults"
    added = requests.post(url, json={"kind": "html", "path": TRADES, "times": 1}, timeout=10)
    assert added.status_code == 201
    (listed,) = get(url).json()["faults"]
    assert listed == added.json() and listed["id"] > 0
    requests.delete(url, params={"id": listed["id"]}, timeout=10)
    assert get(url).json() == {"faults": []}
    requests.post(url, json={"kind": "error"}, timeout=10)
    # The control endpoints themselves have no faults.
    assert requests.delete(url, timeout=10).json() == {"faults": []}
    assert trades(faulty).status_code == 200
    for wrong in ({"kind": "earthquake"}, {"kind": "html", "colour": "red"}, {}):
        assert requests.post(url, json=wrong, timeout=10).status_code == 400


def test_unknown_faults_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=", ".join(KINDS)):
        Faults().add("earthquake")
    with pytest.raises(ValueError, match="body"):
        Fault("error", body="poem")
