"""Recorded answers, served through the same routes and with the same manners as a world.

A folder of JSON files is read, whatever they are called: lists or pages of Data API rows (v2, and
v1 for the older routes), Gamma markets, events and tags, Dome orders, activities and markets. What
an object is shows in its keys. Every object leaves as the very text that was recorded: numbers,
spaces, escapes and all. Only what every real venue has is added where it was not recorded: a
leaderboard of the wallets, and a ledger that repeats a wallet's trades.

    trades.json             [{"proxy_wallet": ..., "transaction_hash": ...}, ...]
    activity.json           {"data": [{"proxy_wallet": ..., "type": "REDEEM"}], "pagination": {}}
    markets.json            [{"conditionId": ..., "clobTokenIds": "[...]", ...}, ...]
    event.json              {"slug": ..., "title": ..., "markets": [...], ...}
    orders.json             {"orders": [{"tx_hash": ..., "order_hash": ...}], "pagination": {}}
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from tests.replica.clock import to_epoch
from tests.replica.rows import encode, position
from tests.replica.source import (
    DomeEventView,
    DomeMarketView,
    EventView,
    MarketView,
    PositionView,
    Standing,
    id_order,
)

Fields = dict[str, Any]

#: Keys under which a page holds its objects.
PAGE_KEYS = ("data", "markets", "events", "orders", "activities")
#: The world goes on a little after the newest recorded moment, so that nothing lies in the future.
AFTERMATH = 3_600


def kind_of(keys: frozenset[str]) -> str | None:
    """What an object is, by the names of its fields."""
    if "proxy_wallet" in keys and "status" in keys:
        return "position"
    if "proxy_wallet" in keys and "transaction_hash" in keys:
        return "activity" if "type" in keys else "trade"
    if "proxyWallet" in keys and "transactionHash" in keys:
        return "v1_activity" if "type" in keys else "v1_trade"
    if {"condition_id", "last_update_timestamp"} <= keys:
        return "resolution"
    if "conditionId" in keys and "question" in keys:
        return "market"
    if "slug" in keys and "title" in keys and ("ticker" in keys or "markets" in keys):
        return "event"
    if {"id", "label", "slug"} <= keys and "children" not in keys:
        return "tag"
    if {"side_a", "market_slug"} <= keys:
        return "dome_market"
    if "tx_hash" in keys and "user" in keys:
        return "dome_row"
    return None


@dataclass(slots=True)
class RecordedRow:
    """A feed row: what the filters look at, and the recorded text. It was always visible."""

    text: str
    wallet: str
    timestamp: int
    sequence_id: int
    condition_id: str
    token_id: str
    side: str
    type: str
    price: float
    shares_micro: int
    usdc_micro: int
    visible_at: int = 0


@dataclass(slots=True)
class RecordedObject:
    text: bytes
    fields: Fields


def micro(value: Any) -> int:
    return round(float(value or 0) * 1_000_000)


def moment(value: Any) -> int | None:
    """Epoch seconds of one of Gamma's times, None if there is none."""
    try:
        return to_epoch(value) if isinstance(value, str) and value else None
    except ValueError:
        return None


class Recordings:
    """All objects of a folder, by kind."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ValueError(f"no such folder: {folder}")
        self.objects: dict[str, list[RecordedObject]] = defaultdict(list)
        self.unknown = 0
        #: Files that hold no JSON; they are named rather than served.
        self.unreadable: list[str] = []
        for path in sorted(folder.rglob("*.json")):
            try:
                self._read(path.read_bytes())
            except msgspec.DecodeError:
                self.unreadable.append(str(path.relative_to(folder)))
        if not self.objects:
            raise ValueError(f"no recorded answers in {folder}")

    def _read(self, text: bytes) -> None:
        text = text.strip()
        if text.startswith(b"["):
            self._take_list(msgspec.json.decode(text, type=list[msgspec.Raw]))
            return
        raws = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        if kind_of(frozenset(raws)) is None:
            pages = [raws[key] for key in PAGE_KEYS if key in raws]
            for page in pages:
                if bytes(page).startswith(b"["):
                    self._take_list(msgspec.json.decode(page, type=list[msgspec.Raw]))
            if not pages:
                self.unknown += 1
            return
        self._take(text)

    def _take_list(self, raws: list[msgspec.Raw]) -> None:
        texts = [bytes(raw) for raw in raws]
        # Rows of feeds come newest first; an ascending list is turned round.
        objects = [text for text in texts if is_object(text)]
        stamps = [msgspec.json.decode(text, type=Stamp).timestamp for text in objects]
        if len(stamps) > 1 and 0 < stamps[0] < stamps[-1]:
            texts.reverse()
        for text in texts:
            self._take(text)

    def _take(self, text: bytes) -> None:
        fields = msgspec.json.decode(text) if is_object(text) else {}
        kind = kind_of(frozenset(fields))
        if kind is None:
            self.unknown += 1
        else:
            self.objects[kind].append(RecordedObject(text, fields))

    def feed(self, *kinds: str) -> list[RecordedRow]:
        """Rows in ascending order; rows of the same second keep the order they were recorded in."""
        found = [item for kind in kinds for item in self.objects[kind]]
        rows = [recorded_row(item, len(found) - place) for place, item in enumerate(found)]
        return sorted(rows, key=position)


class Stamp(msgspec.Struct):
    timestamp: int = 0


def is_object(text: bytes) -> bool:
    return text.startswith(b"{")


def recorded_row(item: RecordedObject, sequence_id: int) -> RecordedRow:
    fields = item.fields

    def first(*names: str) -> Any:
        return next((fields[name] for name in names if fields.get(name) is not None), "")

    shares = micro(first("size", "shares_normalized"))
    price = float(first("price") or 0)
    cash = first("usdc_size", "usdcSize")
    return RecordedRow(
        text=item.text.decode(),
        wallet=first("proxy_wallet", "proxyWallet", "user").lower(),
        timestamp=first("timestamp"),
        sequence_id=sequence_id,
        condition_id=first("condition_id", "conditionId"),
        token_id=first("token_id", "asset"),
        side=first("side"),
        type=first("type") or "TRADE",
        price=price,
        shares_micro=shares,
        usdc_micro=round(shares * price) if cash == "" else micro(cash),
    )


def ledger_row(trade: RecordedRow) -> RecordedRow:
    """The trade as a TRADE row of the ledger, its cash worked out from the recorded digits; no fee is known."""
    fields = json.loads(trade.text, parse_float=Decimal)
    cash = Decimal(fields["price"]) * Decimal(fields["size"])
    return replace(trade, text=f'{{"type":"TRADE","usdc_size":{cash:f},{trade.text.lstrip()[1:]}')


def by(rows: Iterable[RecordedRow], name: str) -> dict[str, list[RecordedRow]]:
    index: dict[str, list[RecordedRow]] = defaultdict(list)
    for row in rows:
        index[getattr(row, name)].append(row)
    return dict(index)


class RecordedData:
    """The Data API's rows as recorded."""

    #: What was recorded was served, so nothing is hidden as dust by default.
    dust_micro = 0

    def __init__(self, recordings: Recordings) -> None:
        self._trades = recordings.feed("trade")
        self._trades_by_wallet = by(self._trades, "wallet")
        self._trades_by_market = by(self._trades, "condition_id")
        self._trades_by_token = by(self._trades, "token_id")
        self._activity = recordings.feed("activity")
        self._activity_by_wallet = by(self._activity, "wallet")
        for wallet, trades in self._trades_by_wallet.items():
            # The venue's ledger holds every trade: a wallet without a recorded one gets its trades.
            self._activity_by_wallet.setdefault(wallet, [ledger_row(trade) for trade in trades])
        self._v1_trades = recordings.feed("v1_trade")
        self._v1_activity = recordings.feed("v1_activity")
        self._positions = recordings.objects["position"]
        self._resolutions = {
            item.fields["condition_id"]: item.text.decode() for item in recordings.objects["resolution"]
        }
        self._markets_of_event: dict[str, list[str]] = defaultdict(list)
        for market in recordings.objects["market"]:
            for event in market.fields.get("events") or ():
                self._markets_of_event[event["id"]].append(market.fields["conditionId"])
        for event in recordings.objects["event"]:
            for market in event.fields.get("markets") or ():
                self._markets_of_event[event.fields["id"]].append(market["conditionId"])

    def trades(self) -> Sequence[RecordedRow]:
        return self._trades

    def trades_of_wallet(self, wallet: str) -> Sequence[RecordedRow]:
        return self._trades_by_wallet.get(wallet, [])

    def trades_of_markets(self, condition_ids: Iterable[str]) -> Sequence[RecordedRow]:
        rows = [row for key in condition_ids for row in self._trades_by_market.get(key, ())]
        return sorted(rows, key=position)

    def activity_of_wallet(self, wallet: str) -> Sequence[RecordedRow]:
        return self._activity_by_wallet.get(wallet, [])

    def conditions_of_events(self, event_ids: Iterable[str]) -> list[str]:
        found = (self._markets_of_event.get(key, ()) for key in event_ids)
        return list(dict.fromkeys(market for markets in found for market in markets))

    def is_taker(self, row: RecordedRow) -> bool:
        """A recorded row does not say whether it is the taker's. It is served either way."""
        return True

    def side(self, row: RecordedRow) -> str:
        return row.side

    def activity_type(self, row: RecordedRow) -> str:
        return row.type

    def trade_json(self, row: RecordedRow, now: int) -> str:
        return row.text

    def activity_json(self, row: RecordedRow, now: int) -> str:
        return row.text

    def v1_trades(self, wallet: str | None) -> Sequence[RecordedRow]:
        return [row for row in self._v1_trades if wallet in (None, row.wallet)]

    def v1_activity(self, wallet: str) -> Sequence[RecordedRow]:
        return [row for row in self._v1_activity if row.wallet == wallet]

    def v1_json(self, row: RecordedRow, now: int, activity: bool) -> str:
        return row.text

    def leaderboard(self, period: str, sort_by: str, now: int, category: str = "overall") -> list[Standing]:
        """Every recorded wallet, the biggest first: there is no telling what its board was, or its categories'."""
        if category != "overall":
            return []
        volumes: dict[str, int] = defaultdict(int)
        for row in self._activity:
            volumes[row.wallet] += 0
        for row in self._trades:
            volumes[row.wallet] += row.shares_micro
        standings = [Standing(wallet, "", 0, volume) for wallet, volume in volumes.items()]
        return sorted(standings, key=lambda row: (-row.volume_micro, row.wallet))

    def positions(self, wallet: str, now: int) -> list[PositionView]:
        views = []
        for item in self._positions:
            fields = item.fields
            if fields["proxy_wallet"].lower() != wallet:
                continue
            keys = {
                "CURRENT_VALUE": fields.get("current_value"),
                "PRICE": fields.get("current_price"),
                "TOKENS": fields.get("current_size"),
                "UNREALIZED_PNL": fields.get("unrealized_pnl"),
                "REALIZED_PNL": fields.get("realized_pnl"),
                "TOTAL_PNL": fields.get("total_pnl"),
                "TIMESTAMP": fields.get("last_event_at"),
            }
            views.append(
                PositionView(
                    token_id=fields["token_id"],
                    condition_id=fields["condition_id"],
                    event_id=str(fields.get("event_id", "")),
                    title=fields.get("title", ""),
                    status=fields["status"],
                    mergeable=bool(fields.get("mergeable")),
                    size_micro=micro(fields.get("current_size")),
                    sort_keys={name: float(value or 0) for name, value in keys.items()},
                    json=item.text,
                )
            )
        return views

    def resolution_json(self, condition_id: str, now: int) -> str | None:
        return self._resolutions.get(condition_id)

    def prices(self, token_id: str, now: int) -> list[tuple[int, float]]:
        rows = self._trades_by_token.get(token_id, ())
        return [(row.timestamp, row.price) for row in rows if row.timestamp <= now]


class RecordedGamma:
    """Gamma's objects as recorded. A market inside an event counts as a market, and the event that
    a market names as an event, unless it was recorded on its own."""

    def __init__(self, recordings: Recordings) -> None:
        self._markets: dict[str, RecordedObject] = {}
        self._events: dict[str, RecordedObject] = {}
        self._event_of: dict[str, str] = {}
        for event in recordings.objects["event"]:
            self._events.setdefault(str(event.fields["id"]), event)
        for market in recordings.objects["market"]:
            self._markets.setdefault(str(market.fields["id"]), market)
        for event in list(self._events.values()):
            for market in embedded(event, "markets"):
                self._markets.setdefault(str(market.fields["id"]), market)
                self._event_of[str(market.fields["id"])] = str(event.fields["id"])
        for market in list(self._markets.values()):
            for event in embedded(market, "events"):
                self._events.setdefault(str(event.fields["id"]), event)
                self._event_of[str(market.fields["id"])] = str(event.fields["id"])
        self._tags = [item.text for item in recordings.objects["tag"]]
        self._market_views = [self._market_view(self._markets[key]) for key in sorted(self._markets, key=id_order)]
        self._event_views = [self._event_view(self._events[key]) for key in sorted(self._events, key=id_order)]

    def _market_view(self, item: RecordedObject) -> MarketView:
        fields = item.fields
        tokens = fields.get("clobTokenIds") or fields.get("positionIds") or []
        if isinstance(tokens, str):
            tokens = msgspec.json.decode(tokens)
        return MarketView(
            id=str(fields["id"]),
            condition_id=fields["conditionId"],
            slug=fields.get("slug", ""),
            token_ids=tuple(tokens),
            event_id=self._event_of.get(str(fields["id"]), ""),
            active=bool(fields.get("active")),
            closed=bool(fields.get("closed")),
            uma_status=fields.get("umaResolutionStatus"),
            tag_ids=frozenset(tag["id"] for tag in fields.get("tags") or ()),
        )

    def _event_view(self, item: RecordedObject) -> EventView:
        fields = item.fields
        key = str(fields["id"])
        closed = fields.get("closed")
        if closed is None:
            mine = [view for view in self._market_views if view.event_id == key]
            closed = bool(mine) and all(view.closed for view in mine)
        tags = fields.get("tags") or ()
        return EventView(
            id=key,
            slug=fields.get("slug", ""),
            active=bool(fields.get("active", True)),
            closed=closed,
            tag_ids=frozenset(tag["id"] for tag in tags),
            tag_slugs=frozenset(tag["slug"] for tag in tags),
        )

    def markets(self, now: int) -> list[MarketView]:
        return self._market_views

    def events(self, now: int) -> list[EventView]:
        return self._event_views

    def market_value(self, market_id: str, name: str, now: int) -> Any:
        return comparable(self._markets[market_id].fields.get(name), name)

    def event_value(self, event_id: str, name: str, now: int) -> Any:
        return comparable(self._events[event_id].fields.get(name), name)

    def market_json(self, market_id: str, now: int, include_tag: bool) -> bytes:
        return self._markets[market_id].text

    def event_json(self, event_id: str, now: int, include_markets: bool) -> bytes:
        return self._events[event_id].text

    def tags(self) -> list[bytes]:
        return self._tags


def embedded(item: RecordedObject, name: str) -> list[RecordedObject]:
    """The objects inside an object, each with its own text."""
    raw = msgspec.json.decode(item.text, type=dict[str, msgspec.Raw]).get(name)
    if raw is None or not bytes(raw).startswith(b"["):
        return []
    texts = [bytes(part) for part in msgspec.json.decode(raw, type=list[msgspec.Raw])]
    objects = [RecordedObject(text, msgspec.json.decode(text)) for text in texts]
    return [part for part in objects if "id" in part.fields]


def comparable(value: Any, name: str) -> int:
    """A field as a number to sort by: a moment, or millionths."""
    if name.endswith(("At", "Date", "Time")):
        return moment(value) or 0
    return micro(value)


class RecordedDome:
    """Dome's rows and markets as recorded."""

    def __init__(self, recordings: Recordings) -> None:
        rows = recordings.feed("dome_row")
        self._orders = [row for row in rows if row.side in ("BUY", "SELL")]
        self._activity = [row for row in rows if row.side not in ("BUY", "SELL")]
        for row in self._activity:
            row.type = row.side
        self._slugs = {
            item.fields["market_slug"]: item.fields["condition_id"]
            for kind in ("dome_row", "dome_market")
            for item in recordings.objects[kind]
        }
        self._markets = {item.fields["condition_id"]: item for item in recordings.objects["dome_market"]}

    def dome_position(self, row: RecordedRow) -> tuple[int, str, int]:
        # Old rows have no log_index; their place in the recording stands for it.
        return (row.timestamp, "", row.sequence_id)

    def orders(self, user: str | None, condition_id: str | None, token_id: str | None) -> Sequence[RecordedRow]:
        return [
            row
            for row in self._orders
            if user in (None, row.wallet)
            and condition_id in (None, row.condition_id)
            and token_id in (None, row.token_id)
        ]

    def activity(self, user: str | None) -> Sequence[RecordedRow]:
        return [row for row in self._activity if user in (None, row.wallet)]

    def order_json(self, row: RecordedRow, now: int, complete: bool) -> bytes:
        return row.text.encode()

    def activity_json(self, row: RecordedRow, now: int, complete: bool) -> bytes:
        return row.text.encode()

    def condition_of_slug(self, market_slug: str) -> str | None:
        return self._slugs.get(market_slug)

    def markets(self, now: int) -> list[DomeMarketView]:
        views = []
        for condition_id, item in self._markets.items():
            fields = item.fields
            views.append(
                DomeMarketView(
                    condition_id=condition_id,
                    market_slug=fields["market_slug"],
                    event_slug=fields.get("event_slug"),
                    title=fields.get("title", ""),
                    token_ids=(fields["side_a"]["id"], fields["side_b"]["id"]),
                    tags=tuple(fields.get("tags") or ()),
                    status=fields.get("status", "open"),
                    volume=float(fields.get("volume_total") or 0),
                    start_time=fields.get("start_time") or 0,
                    end_time=fields.get("end_time") or 0,
                )
            )
        return views

    def market_json(self, condition_id: str, now: int, winner_as_object: bool) -> bytes:
        return self._markets[condition_id].text

    def events(self, now: int) -> list[DomeEventView]:
        return []

    def event_json(self, slug: str, now: int, include_markets: bool) -> bytes:
        raise KeyError(slug)

    def sides(self, condition_id: str) -> list[tuple[str, str]]:
        item = self._markets.get(condition_id)
        if item is None:
            return []
        sides = (item.fields["side_a"], item.fields["side_b"])
        return [(side["id"], side["label"]) for side in sides]

    def wallet_of_handle(self, handle: str) -> str | None:
        return None

    def wallet_json(self, address: str, now: int, with_metrics: bool) -> bytes | None:
        if all(row.wallet != address for row in self._orders):
            return None
        return encode({"eoa": address, "proxy": address, "wallet_type": "unknown"})


class RecordedSource:
    """A folder of recorded answers behind the APIs."""

    def __init__(self, folder: Path) -> None:
        recordings = Recordings(folder)
        self.data = RecordedData(recordings)
        self.gamma = RecordedGamma(recordings)
        self.dome = RecordedDome(recordings)
        self._counts = {kind: len(items) for kind, items in recordings.objects.items() if items}
        self._unknown = recordings.unknown
        self._unreadable = recordings.unreadable
        everything = [item for items in recordings.objects.values() for item in items]
        moments = [seen for item in everything for seen in moments_of(item.fields)]
        self.starts_at = min(moments, default=0)
        self.ends_at = max(moments, default=0) + AFTERMATH

    def stats(self, now: int) -> dict[str, Any]:
        return {
            "kind": "recorded",
            **self._counts,
            "unknown": self._unknown,
            "unreadable": self._unreadable,
            "starts_at": self.starts_at,
            "ends_at": self.ends_at,
        }


def moments_of(fields: Fields) -> list[int]:
    """When things happened that the object tells of; plans, like an end date, do not count."""
    found = [fields["timestamp"]] if isinstance(fields.get("timestamp"), int) else []
    for name in ("closedTime", "umaEndDate", "updatedAt", "resolved_at", "last_update_timestamp"):
        seen = moment(fields.get(name))
        if seen is not None:
            found.append(seen)
    for name in ("completed_time", "close_time"):
        if isinstance(fields.get(name), int):
            found.append(fields[name])
    return found
