"""A handmade world, small enough to know by heart, and the clients that the tests set on it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import requests

from tests.replica.model import Entry, Event, Fill, Market, Tag, Wallet
from tests.replica.server import RunningReplica
from tests.replica.world import World

DAY = 86_400
#: 2026-03-01T00:00:00Z
NOW = 1_772_323_200
STARTS = NOW - 240 * DAY
#: Older rows of Dome are of the generation without log_index.
COMPLETE_SINCE = NOW - 100 * DAY

ALICE = "0x" + "a11ce" * 8
BOB = "0x" + "b0b00" * 8
CAROL = "0x" + "ca401" * 8

POLITICS = Tag("2", "Politics", "politics")
HIDDEN = Tag("102169", "Hide From New", "hide-from-new")

#: Alice's plain trades, one an hour: more than fit on one page of the greatest size.
PLAIN_TRADES = 1_150


def hex_id(*parts: object, digits: int = 64) -> str:
    text = "|".join(map(str, parts)).encode()
    return "0x" + (hashlib.sha256(text).hexdigest() * 2)[:digits]


class Builder:
    """Collects a world's parts; what is not said is ordinary."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.markets: dict[str, Market] = {}
        self.fills: list[Fill] = []
        self.entries: list[Entry] = []
        self._sequence = itertools.count(937_000_000_000_000_001)
        self._markets = itertools.count(500_000)

    def event(self, slug: str, **changes: Any) -> str:
        values: dict[str, Any] = {
            "id": str(16_000 + len(self.events)),
            "slug": slug,
            "title": slug.replace("-", " "),
            "tags": (POLITICS, HIDDEN),
            "category": "Politics",
            "negative_risk": False,
            "created_at": STARTS,
            "starts_at": STARTS,
            "ends_at": NOW + 10 * DAY,
            "condition_ids": (),
        } | changes
        self.events[values["id"]] = Event(**values)
        return str(values["id"])

    def market(self, name: str, event_id: str | None = None, **changes: Any) -> str:
        number = next(self._markets)
        digits = changes.pop("digits", 64)
        condition_id = hex_id("market", name, digits=digits)
        values: dict[str, Any] = {
            "id": str(number),
            "condition_id": condition_id,
            "slug": name,
            "question": f"Will it be {name}?",
            "event_id": event_id or self.event(f"{name}-event"),
            "outcomes": ("Yes", "No"),
            "token_ids": tuple(str(int(hex_id(name, side), 16)) for side in (0, 1)),
            "created_at": STARTS,
            "opens_at": STARTS,
            "closes_at": NOW + 5 * DAY,
            "resolved_at": NOW + 6 * DAY,
            "ending": "binary",
            "payouts": (Fraction(1), Fraction(0)),
            "fee_rate": Fraction(0),
            "negative_risk": False,
            "legacy_category": None,
        } | changes
        self.markets[condition_id] = Market(**values)
        event = self.events[values["event_id"]]
        ids = (*event.condition_ids, condition_id)
        fields = {name: getattr(event, name) for name in Event.__slots__}
        self.events[event.id] = Event(**(fields | {"condition_ids": ids}))
        return condition_id

    def fill(self, condition_id: str, timestamp: int, **changes: Any) -> Fill:
        sequence = next(self._sequence)
        values: dict[str, Any] = {
            "sequence_id": sequence,
            "transaction_hash": hex_id("tx", sequence),
            "log_index": sequence % 1000,
            "order_hash": hex_id("order", sequence),
            "wallet": ALICE,
            "counterparty": BOB,
            "condition_id": condition_id,
            "outcome_index": 0,
            "side": "BUY",
            "shares_micro": 10_000_000,
            "usdc_micro": 5_200_000,
            "fee_micro": 0,
            "is_taker": True,
            "timestamp": timestamp,
            "visible_at": timestamp,
            "enriched_at": timestamp,
        } | changes
        values["token_id"] = self.markets[condition_id].token_ids[values["outcome_index"]]
        fill = Fill(**values)
        self.fills.append(fill)
        return fill

    def entry(self, kind: str, timestamp: int, **changes: Any) -> Entry:
        sequence = next(self._sequence)
        values: dict[str, Any] = {
            "sequence_id": sequence,
            "transaction_hash": hex_id("tx", sequence),
            "log_index": sequence % 1000,
            "wallet": ALICE,
            "type": kind,
            "condition_id": "",
            "event_id": "",
            "converted": (),
            "shares_micro": 0,
            "usdc_micro": 0,
            "timestamp": timestamp,
            "visible_at": timestamp,
        } | changes
        entry = Entry(**values)
        self.entries.append(entry)
        return entry

    def world(self) -> World:
        def place(row: Any) -> tuple[int, int]:
            return (row.timestamp, row.sequence_id)

        wallets = (
            Wallet(ALICE, "Alice", "favourite", True),
            Wallet(BOB, "Bob", "maker", True),
            Wallet(CAROL, "Carol", "one_hit", False),
        )
        return World(
            seed=0,
            starts_at=STARTS,
            ends_at=NOW,
            fees_begin_at=NOW - 30 * DAY,
            wallets={wallet.address: wallet for wallet in wallets},
            events=self.events,
            markets=self.markets,
            fills=sorted(self.fills, key=place),
            entries=sorted(self.entries, key=place),
        )


def build_tiny() -> tuple[World, dict[str, Any]]:
    """The world, and its special rows and markets by name."""
    build = Builder()
    known: dict[str, Any] = {}
    known["open"] = build.market("open-market")
    known["resolved"] = build.market("resolved-market", closes_at=NOW - 20 * DAY, resolved_at=NOW - 19 * DAY)
    known["legacy"] = build.market(
        "legacy-market",
        created_at=NOW - 1500 * DAY,
        opens_at=NOW - 1500 * DAY,
        closes_at=NOW - 1400 * DAY,
        resolved_at=NOW - 1399 * DAY,
        legacy_category="US-current-affairs",
    )
    known["void"] = build.market(
        "void-market",
        closes_at=NOW - 20 * DAY,
        resolved_at=NOW - 19 * DAY,
        ending="void",
        payouts=None,
    )
    known["fifty"] = build.market(
        "fifty-market",
        closes_at=NOW - 20 * DAY,
        resolved_at=NOW - 19 * DAY,
        ending="fifty_fifty",
        payouts=(Fraction(1, 2), Fraction(1, 2)),
    )
    known["never"] = build.market(
        "never-market",
        closes_at=NOW - 20 * DAY,
        resolved_at=None,
        ending="never",
        payouts=None,
    )
    known["fees"] = build.market(
        "fees-market",
        closes_at=NOW + DAY,
        resolved_at=NOW + 4 * DAY,
        fee_rate=Fraction(1, 20),
        payouts=(Fraction(0), Fraction(1)),
    )
    family = build.event("who-wins", negative_risk=True)
    known["family"] = [build.market(f"candidate-{number}", family, negative_risk=True) for number in range(4)]
    known["family_event"] = family
    known["unlisted"] = build.market("unlisted-market", listed=False)
    known["combo"] = build.market("combo-market", digits=62, question="A wins AND B wins", listed=False)
    known["later"] = build.market("later-market", created_at=NOW + 600, opens_at=NOW + 1200)

    for hour in range(PLAIN_TRADES):
        build.fill(known["open"], NOW - DAY - hour * 3600 // 4, is_taker=hour % 2 == 0)
    known["old"] = build.fill(known["legacy"], NOW - 1450 * DAY)
    known["dust"] = build.fill(known["open"], NOW - 3000, shares_micro=5_000, usdc_micro=2_600)
    pair = {"transaction_hash": hex_id("twins"), "order_hash": hex_id("twins order")}
    known["twins"] = [
        build.fill(known["open"], NOW - 4000, shares_micro=7_000_000, log_index=place, **pair) for place in (11, 12)
    ]
    known["noise"] = build.fill(known["open"], NOW - 5000, shares_micro=1_283_535_383, usdc_micro=1_116_675_784)
    known["fresh"] = build.fill(known["open"], NOW - 60, enriched_at=NOW + 1740)
    known["late"] = build.fill(known["open"], NOW - 600, visible_at=NOW + 900)
    known["combo_fill"] = build.fill(known["combo"], NOW - 7000)
    known["unlisted_fill"] = build.fill(known["unlisted"], NOW - 8000)
    known["fee_buy"] = build.fill(known["fees"], NOW - 9000, fee_micro=124_800)
    known["fee_sell"] = build.fill(
        known["fees"],
        NOW - 8900,
        fee_micro=62_400,
        side="SELL",
        shares_micro=5_000_000,
        usdc_micro=2_600_000,
    )
    known["bob"] = [
        build.fill(
            known["resolved"],
            NOW - 25 * DAY - hour * 60,
            wallet=BOB,
            counterparty=ALICE,
            is_taker=False,
            side="SELL",
        )
        for hour in range(30)
    ]
    known["soon"] = [build.fill(known["open"], NOW + 30 + 60 * place) for place in range(20)]

    market = {"condition_id": known["resolved"]}
    known["entries"] = {
        kind: build.entry(kind, NOW - 50_000 - place, **details)
        for place, (kind, details) in enumerate(
            {
                "SPLIT": market | {"shares_micro": 9_000_000, "usdc_micro": 9_000_000},
                "MERGE": market | {"shares_micro": 4_000_000, "usdc_micro": 4_000_000},
                "REDEEM": market | {"shares_micro": 5_000_000, "usdc_micro": 3_500_000},
                "REWARD": {"shares_micro": 1_250_000, "usdc_micro": 1_250_000},
                "MAKER_REBATE": {"shares_micro": 10_000, "usdc_micro": 10_000},
                "DEPOSIT": {"usdc_micro": 100_000_000},
                "WITHDRAWAL": {"usdc_micro": 50_000_000},
                "TIP": {"usdc_micro": 2_000_000},
            }.items()
        )
    }
    return build.world(), known


# -- clients ----------------------------------------------------------------------------------

Json = dict[str, Any]


def get(url: str, **params: Any) -> requests.Response:
    return requests.get(url, params=params, timeout=10)


def get_dome(replica: RunningReplica, path: str, **params: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {replica.dome_key}"}
    url = f"{replica.dome_base_url}/polymarket/{path}"
    return requests.get(url, params=params, headers=headers, timeout=10)


def data_pages(
    replica: RunningReplica, route: str, cursor_name: str = "cursor", most: int = 50, **params: Any
) -> Iterator[list[Json]]:
    """A walk of a Data API v2 feed that sends its cursor under the given name."""
    cursor: dict[str, str] = {}
    for _ in range(most):
        answer = get(f"{replica.data_api_url}/v2/{route}", **params, **cursor)
        answer.raise_for_status()
        body = answer.json()
        yield body["data"]
        if body["pagination"]["next_cursor"] is None:
            return
        cursor = {cursor_name: body["pagination"]["next_cursor"]}


def data_rows(replica: RunningReplica, route: str, **params: Any) -> list[Json]:
    return [row for page in data_pages(replica, route, **params) for row in page]


def gamma_pages(
    replica: RunningReplica,
    kind: str,
    cursor_name: str = "after_cursor",
    most: int = 50,
    **params: Any,
) -> Iterator[list[Json]]:
    cursor: dict[str, str] = {}
    for _ in range(most):
        answer = get(f"{replica.gamma_api_url}/{kind}/keyset", **params, **cursor)
        answer.raise_for_status()
        body = answer.json()
        yield body[kind]
        if "next_cursor" not in body:
            return
        cursor = {cursor_name: body["next_cursor"]}


def gamma_rows(replica: RunningReplica, kind: str, **params: Any) -> list[Json]:
    return [row for page in gamma_pages(replica, kind, **params) for row in page]


def hashes(rows: list[Json]) -> list[str]:
    return [row["transaction_hash"] for row in rows]
