"""Recorded answers: the very text, through the same routes and with the same manners."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.replica.recorded import RecordedSource, Recordings, kind_of
from tests.replica.server import RunningReplica, serve
from tests.replica_tests.tiny import data_pages, data_rows, gamma_rows, get, get_dome, hex_id

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"
real_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no recorded samples beside the checkout")

ANN, BEN = "0x" + "a1" * 20, "0x" + "b2" * 20
MARKETS = [hex_id("recorded", number) for number in range(3)]

# Spaces, escapes, an exponent, a 22-digit number: nothing of it may change on the way.
STRANGE = (
    f'{{ "proxy_wallet": "{ANN}",\n "side": "BUY", "token_id": "11",'
    f' "condition_id": "{MARKETS[0]}", "size": 1283.5353830000000000001, "price": 8.7e-1,'
    ' "timestamp": 1764790341, "title": "Caf\\u00e9 \\/ caf\u00e9", "transaction_hash": "0x01",'
    ' "outcome_index": 999 }'
)


def trade_text(wallet: str, place: int, timestamp: int, size: str = "5") -> str:
    return (
        f'{{"proxy_wallet":"{wallet}","side":"SELL","token_id":"22","condition_id":"{MARKETS[1]}",'
        f'"size":{size},"price":0.5,"timestamp":{timestamp},"transaction_hash":"0x1{place}"}}'
    )


def market_text(number: int, closed: bool, **more: Any) -> str:
    fields = {
        "id": str(700 + number),
        "question": f"Market {number}?",
        "conditionId": MARKETS[number],
        "slug": f"market-{number}",
        "outcomes": '["Yes", "No"]',
        "outcomePrices": '["1", "0"]' if closed else '["0.4", "0.6"]',
        "clobTokenIds": f'["{number}1", "{number}2"]',
        "active": True,
        "closed": closed,
        "volumeNum": None,
        "events": [{"id": f"9{number}", "slug": f"event-{number}", "title": "E", "ticker": "e"}],
    } | more
    return json.dumps(fields, indent=1)


ORDER = (
    '{"token_id": "22", "side": "BUY", "market_slug": "market-1", "condition_id": "%s",'
    ' "shares": 1000000, "price": 0.947, "tx_hash": "0xdd", "timestamp": %d, "user": "%s",'
    ' "order_hash": "0xee", "shares_normalized": 1}'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as someone might fill it by hand."""
    trades = [STRANGE, *(trade_text(ANN, n, 1764790000 - n) for n in range(4))]
    (tmp_path / "trades.json").write_text("[" + ",\n".join(trades) + "]")
    (tmp_path / "more").mkdir()
    moments = {10: 1764000010, 11: 1764000011, 12: 1764000011}
    oldest_first = [trade_text(BEN, n, at, size="0.005") for n, at in moments.items()]
    envelope = f'{{"data":[{",".join(oldest_first)}],"pagination":{{"limit":3,"has_more":true}}}}'
    (tmp_path / "more" / "page.json").write_text(envelope)
    activity = (
        f'[{{"proxy_wallet":"{ANN}","timestamp":1764790400,"condition_id":"{MARKETS[0]}",'
        '"type":"REDEEM","size":3.0,"usdc_size":3.0,"transaction_hash":"0x33","price":0.0,'
        '"token_id":"","side":""}]'
    )
    (tmp_path / "activity.json").write_text(activity)
    markets = [market_text(0, True, closedTime="2025-12-05 12:00:00+00"), market_text(1, False)]
    (tmp_path / "markets.json").write_text("[" + ",".join(markets) + "]")
    embedded = market_text(2, True, events=None)
    event = f'{{"id":"92","slug":"event-2","title":"Two","tags":[],"markets":[{embedded}]}}'
    (tmp_path / "event.json").write_text(event)
    orders = ",\n".join(ORDER % (MARKETS[1], 1764790341, BEN) for _ in range(2))
    pagination = '"pagination": {"limit": 2, "total": 1299, "has_more": true}'
    page = f'{{"orders": [{orders}], {pagination}}}'
    (tmp_path / "dome.json").write_text(page)
    old_row = '{"proxyWallet":"%s","asset":"1","conditionId":"0x","side":"BUY","size":16,'
    old_row += '"price":0.25,"timestamp":1764790341,"transactionHash":"0x77"}'
    (tmp_path / "old.json").write_text("[" + old_row % BEN + "]")
    (tmp_path / "notes.json").write_text('{"remark": "not an answer"}')
    return tmp_path


def test_rows_leave_as_the_text_that_was_recorded(folder: Path) -> None:
    with serve(folder) as replica:
        query = {"user": ANN, "limit": 1}
        text = get(f"{replica.data_api_url}/v2/trades", **query).text
        assert text.startswith('{"data":[' + STRANGE + '],"pagination":')
        raw = get(f"{replica.gamma_api_url}/markets/keyset", slug="market-1").text
        assert market_text(1, False) in raw
        orders = get_dome(replica, "orders", user=BEN).text
        assert ORDER % (MARKETS[1], 1764790341, BEN) in orders


def test_recorded_rows_keep_the_manners(folder: Path) -> None:
    with serve(folder) as replica:
        pages = list(data_pages(replica, "trades", user=ANN, limit=2))
        assert [len(page) for page in pages] == [2, 2, 1]
        rows = [row for page in pages for row in page]
        assert [row["transaction_hash"] for row in rows] == ["0x01", "0x10", "0x11", "0x12", "0x13"]
        url = f"{replica.data_api_url}/v2/trades"
        assert get(url, user=ANN, offset=0).status_code == 400
        wrong = {"cursor_name": "next_cursor", "most": 4}
        naive = list(data_pages(replica, "trades", user=ANN, limit=2, **wrong))
        assert all(page == naive[0] for page in naive)
        window = {"start": 1764789998, "end": 1764789999}
        assert len(data_rows(replica, "trades", user=ANN, **window)) == 2
        assert data_rows(replica, "trades", user=ANN, condition=MARKETS[1])[0]["side"] == "SELL"
        assert len(data_rows(replica, "trades", condition=MARKETS[1])) == 4 + 3
        (entry,) = data_rows(replica, "activity", user=ANN)
        assert entry["type"] == "REDEEM"
        assert data_rows(replica, "activity", user=ANN, type="TRADE") == []
        replica.clock.set("2030-01-01")
        assert data_rows(replica, "trades", user=ANN) == []
        assert len(data_rows(replica, "trades", user=ANN, start=1)) == 5


def test_lists_that_are_oldest_first_are_turned_round(folder: Path) -> None:
    with serve(folder) as replica:
        rows = data_rows(replica, "trades", user=BEN)
    # Of one second, the row that was written last comes first.
    assert [row["transaction_hash"] for row in rows] == ["0x112", "0x111", "0x110"]


def test_what_was_recorded_is_not_hidden_as_dust(folder: Path) -> None:
    with serve(folder) as replica:
        assert [row["size"] for row in data_rows(replica, "trades", user=BEN)] == [0.005] * 3
        assert data_rows(replica, "trades", user=BEN, filter_amount="0.01") == []


def test_recorded_markets_keep_the_manners(folder: Path) -> None:
    def ids(**params: Any) -> list[str]:
        return [row["id"] for row in gamma_rows(replica, "markets", **params)]

    with serve(folder) as replica:
        assert ids(condition_ids=MARKETS) == ["701"]
        # The market inside the recorded event is a market too.
        assert ids(condition_ids=MARKETS, closed="true") == ["700", "702"]
        assert ids(clob_token_ids="12") == ["701"]
        url = f"{replica.gamma_api_url}/markets/keyset"
        first = get(url, closed="true", limit=1).json()
        after = {"after_cursor": first["next_cursor"]}
        second = get(url, closed="true", limit=1, **after).json()
        assert [row["id"] for row in second["markets"]] == ["702"]
        assert "next_cursor" not in second
        assert get(url, offset=1).status_code == 422


def test_the_events_that_markets_name_are_events(folder: Path) -> None:
    with serve(folder) as replica:
        slugs = {row["slug"] for closed in ("true", "false") for row in gamma_rows(replica, "events", closed=closed)}
        assert slugs == {"event-0", "event-1", "event-2"}
        (event,) = gamma_rows(replica, "events", slug="event-1")
        assert event == {"id": "91", "slug": "event-1", "title": "E", "ticker": "e"}


def test_the_leaderboard_is_the_recorded_wallets(folder: Path) -> None:
    with serve(folder) as replica:
        rows = data_rows(replica, "leaderboard", limit=1)
    assert [row["user_id"] for row in rows] == [ANN, BEN]


def test_the_older_routes_have_the_older_rows(folder: Path) -> None:
    with serve(folder) as replica:
        text = get(f"{replica.data_api_url}/trades", user=BEN).text
        assert '"size":16,' in text and len(json.loads(text)) == 1
        assert get(f"{replica.data_api_url}/activity", user=BEN).json() == []


def test_recorded_dome_pages_end_where_the_recording_ends(folder: Path) -> None:
    with serve(folder) as replica:
        body = get_dome(replica, "orders", user=BEN).json()
        assert len(body["orders"]) == 2
        assert body["orders"][0] == body["orders"][1]
        # Not the 1,299 of the recorded page: nothing follows.
        assert body["pagination"] == {"limit": 100, "offset": 0, "total": 2, "has_more": False}
        first = get_dome(replica, "orders", user=BEN, limit=1).json()
        key = {"pagination_key": first["pagination"]["pagination_key"]}
        second = get_dome(replica, "orders", user=BEN, limit=1, **key).json()
        assert (len(second["orders"]), second["pagination"]["has_more"]) == (1, False)
        assert get_dome(replica, "markets").json()["markets"] == []


def test_the_recorded_world_is_in_the_present(folder: Path) -> None:
    source = RecordedSource(folder)
    # The newest thing that happened is a market's end; an hour later, all of it has happened.
    assert source.ends_at == 1764936000 + 3600
    assert source.stats(0)["unknown"] == 1
    with serve(folder) as replica:
        assert replica.clock.now() == source.ends_at


def test_folders_without_answers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        RecordedSource(tmp_path / "missing")
    with pytest.raises(ValueError, match="no recorded answers"):
        RecordedSource(tmp_path)
    (tmp_path / "a.json").write_text("not json")
    with pytest.raises(ValueError, match="no recorded answers"):
        RecordedSource(tmp_path)
    (tmp_path / "b.json").write_text("[" + trade_text(ANN, 1, 5) + "]")
    assert Recordings(tmp_path).unreadable == ["a.json"]


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ("proxy_wallet transaction_hash side", "trade"),
        ("proxy_wallet transaction_hash type", "activity"),
        ("proxy_wallet status token_id", "position"),
        ("id slug title markets", "event"),
        ("id label slug", "tag"),
        ("id label slug children", None),
        ("tx_hash user", "dome_row"),
        ("remark", None),
    ],
)
def test_objects_are_known_by_their_keys(keys: str, kind: str | None) -> None:
    assert kind_of(frozenset(keys.split())) == kind


# -- the real recordings ----------------------------------------------------------------------


def raw_rows(path: Path) -> list[str]:
    raws = msgspec.json.decode(path.read_bytes(), type=list[msgspec.Raw])
    return [bytes(raw).decode() for raw in raws]


@real_samples
def test_the_recorded_wallet() -> None:
    folder = SAMPLES / "polymarket" / "wallet"
    with serve(folder) as replica:
        (standing,) = data_rows(replica, "leaderboard")
        wallet = standing["user_id"]
        texts: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            query = {"user": wallet, "taker_only": "false", "limit": 500, **cursor}
            page = get(f"{replica.data_api_url}/v2/trades", **query).text
            body = msgspec.json.decode(page, type=dict[str, msgspec.Raw])
            raws = msgspec.json.decode(body["data"], type=list[msgspec.Raw])
            texts += [bytes(raw).decode() for raw in raws]
            following = msgspec.json.decode(body["pagination"])["next_cursor"]
            if following is None:
                break
            cursor = {"cursor": following}
        assert texts == raw_rows(folder / "trades.json")
        assert len(texts) == 1463
        conditions = sorted({json.loads(text)["condition_id"] for text in texts})
        assert len(conditions) == 25
        assert gamma_rows(replica, "markets", condition_ids=conditions) == []
        query = {"condition_ids": conditions, "closed": "true", "limit": 100}
        answer = get(f"{replica.gamma_api_url}/markets/keyset", **query)
        assert all(text in answer.text for text in raw_rows(folder / "markets.json"))
        assert len(answer.json()["markets"]) == 25
        # All of it has happened by the replica's clock.
        assert replica.clock.iso() > "2025-12-05T12:00:00Z"


@real_samples
def test_the_recorded_dome_page() -> None:
    with serve(SAMPLES / "dome") as replica:
        recorded = json.loads((SAMPLES / "dome" / "orders_page_2025-11.json").read_text())
        user = recorded["orders"][0]["user"]
        body = get_dome(replica, "orders", user=user, limit=1000).json()
        assert body["orders"] == recorded["orders"]
        assert len(body["orders"]) == 100
        assert not body["pagination"]["has_more"]
        assert all("log_index" not in row for row in body["orders"])


@real_samples
def test_all_recorded_answers_together() -> None:
    with serve(SAMPLES / "polymarket") as replica:
        stats = get(f"{replica.url}/_control/stats").json()["source"]
        assert stats["trade"] == 1463 + 2
        assert {"activity", "position", "resolution", "market", "event", "tag"} <= set(stats)
        wallet = "0x379a410a36c101e3b8dfb6c90d1176eb0def4b1a"
        assert len(data_rows(replica, "activity", user=wallet)) == 2
        closed = data_rows(replica, "positions", user=wallet, status="CLOSED")
        assert len(closed) == 2
        condition = "0x789f0872f66cfffd21a33020e5c90e11f95f947e03be77ac2df7e86b0cb71527"
        (row,) = resolutions(replica, condition)
        assert row["payouts"] == [1_000_000, 0]
        zeros = gamma_rows(replica, "markets", closed="true", id="12")
        assert zeros[0]["outcomePrices"] == '["0", "0"]'


def resolutions(replica: RunningReplica, condition: str) -> list[dict[str, Any]]:
    url = f"{replica.data_api_url}/v2/resolutions"
    rows: list[dict[str, Any]] = get(url, condition=condition).json()["data"]
    return rows


def test_a_wallet_without_a_recorded_ledger_has_its_trades_in_it(tmp_path: Path) -> None:
    trade = (
        '{"proxy_wallet": "0x00000000000000000000000000000000000000aa", "side": "BUY", "token_id": "7", '
        '"condition_id": "0x1", "size": 1283.535383, "price": 0.8700000006154875, "timestamp": 1764790341, '
        '"transaction_hash": "0x2"}'
    )
    (tmp_path / "trades.json").write_text(f"[{trade}]")
    with serve(tmp_path) as replica:
        (row,) = data_rows(replica, "activity", user="0x00000000000000000000000000000000000000aa")
    assert row["type"] == "TRADE"
    assert row["usdc_size"] == pytest.approx(1283.535383 * 0.8700000006154875)
    assert {key: value for key, value in row.items() if key not in ("type", "usdc_size")} == json.loads(trade)
