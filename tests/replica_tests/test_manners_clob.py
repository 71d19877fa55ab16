"""CLOB's manners: price windows, the book's order, base64 offsets."""

from __future__ import annotations

import base64
import json

from tests.replica.server import RunningReplica, serve
from tests.replica_tests.tiny import DAY, NOW, Builder, Json, get


def test_price_history_windows(replica: RunningReplica, known: Json) -> None:
    url, token = f"{replica.clob_api_url}/prices-history", known["noise"].token_id
    window = {"market": token, "startTs": NOW - 2 * DAY, "endTs": NOW}
    fine = get(url, **window, fidelity=1).json()["history"]
    coarse = get(url, **window, fidelity=60).json()["history"]
    assert len(fine) > len(coarse) > 10
    assert set(fine[0]) == {"t", "p"} and 0 < fine[0]["p"] < 1
    assert all(NOW - 2 * DAY - 60 <= point["t"] <= NOW for point in fine)
    long = get(url, market=token, startTs=NOW - 16 * DAY, endTs=NOW)
    assert long.status_code == 400 and "too long" in long.json()["error"]
    assert get(url, market=token).status_code == 400
    assert get(url, startTs=1).status_code == 400
    assert len(get(url, market=token, interval="1d").json()["history"]) < len(fine)
    assert get(url, market=token, interval="year").status_code == 400


def test_resolved_markets_have_no_fine_history(replica: RunningReplica, known: Json) -> None:
    url, token = f"{replica.clob_api_url}/prices-history", known["old"].token_id
    # The answer is 200 and empty: the history seems never to have been.
    assert get(url, market=token, interval="max", fidelity=60).json() == {"history": []}
    assert get(url, market=token, interval="max", fidelity=720).json()["history"]


def test_both_outcomes_have_prices(replica: RunningReplica, known: Json) -> None:
    row = get(f"{replica.gamma_api_url}/markets/slug/open-market").json()
    url = f"{replica.clob_api_url}/prices-history"
    yes, no = (get(url, market=token, interval="1d").json()["history"] for token in json.loads(row["clobTokenIds"]))
    # Only Yes was ever traded.
    pairs = list(zip(yes, no, strict=True))
    assert len(pairs) > 5
    assert all(round(one["p"] + other["p"], 4) == 1 for one, other in pairs)


def test_the_book_has_texts_and_its_worst_prices_first(replica: RunningReplica, known: Json) -> None:
    book = get(f"{replica.clob_api_url}/book", token_id=known["noise"].token_id).json()
    bids = [float(level["price"]) for level in book["bids"]]
    asks = [float(level["price"]) for level in book["asks"]]
    assert all(isinstance(level["price"], str) for level in book["bids"] + book["asks"])
    assert bids == sorted(bids) and asks == sorted(asks, reverse=True)
    # The first of each list is the worst: a naive spread would be ten times too wide.
    assert asks[-1] - bids[-1] < asks[0] - bids[0]
    assert book["timestamp"] == str(NOW * 1000)
    closed = get(f"{replica.clob_api_url}/book", token_id=known["old"].token_id)
    assert closed.status_code == 404


def test_the_market_list_pages_by_encoded_offsets() -> None:
    build = Builder()
    event = build.event("crowd")
    for number in range(1_200):
        past = {"closes_at": NOW - 20 * DAY, "resolved_at": NOW - 19 * DAY} if number % 2 else {}
        build.market(f"market-{number}", event, **past)
    with serve(build.world(), now=NOW) as replica:
        url = f"{replica.clob_api_url}/markets"
        first = get(url).json()
        assert (first["count"], first["limit"]) == (1000, 1000)
        assert base64.b64decode(first["next_cursor"]) == b"1000"
        second = get(url, next_cursor=first["next_cursor"]).json()
        assert (second["count"], second["next_cursor"]) == (200, "LTE=")
        # "LTE=" is no cursor: following it is an error.
        assert get(url, next_cursor=second["next_cursor"]).status_code == 400
    rows = first["data"] + second["data"]
    assert len({row["condition_id"] for row in rows}) == 1_200
    # Open and closed ones together, the tags as labels, the winner on the token.
    assert {row["closed"] for row in rows} == {True, False}
    closed = next(row for row in rows if row["closed"])
    assert closed["tags"] == ["Politics", "Hide From New"]
    assert [token["winner"] for token in closed["tokens"]] == [True, False]
    assert not any(token["winner"] for row in rows if not row["closed"] for token in row["tokens"])


def test_fifty_fifty_outcomes_are_marked(replica: RunningReplica, known: Json) -> None:
    rows = get(f"{replica.clob_api_url}/markets").json()["data"]
    marked = {row["condition_id"] for row in rows if row["is_50_50_outcome"]}
    assert marked == {known["fifty"]}
