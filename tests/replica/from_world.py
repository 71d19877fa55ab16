"""The APIs' objects as a synthetic world has them at a moment."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec

from tests.replica import source as sources
from tests.replica.model import Entry, Event, Fill, Market, Tag, Transfer, Wallet
from tests.replica.rows import encode, micro_text, number, position, quoted
from tests.replica.source import (
    DomeEventView,
    DomeMarketView,
    EventView,
    MarketView,
    PositionView,
    Standing,
    id_order,
)
from tests.replica.world.core import (
    World,
    closed_time,
    is_combo,
    market_state,
    resolution_status,
)

DAY = 86_400
IMAGES = "https://polymarket-upload.s3.us-east-2.amazonaws.com"
#: Boards whose name is not the slug of their tag.
BOARD_SLUGS = {"culture": "pop-culture", "economics": "economy"}
PERIODS = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY}
#: Blocks come every two seconds; the number only has to grow with time.
FIRST_BLOCK, FIRST_BLOCK_AT = 66_000_000, 1_735_689_600


def iso(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def spaced(epoch: int) -> str:
    """Gamma's other notation of a time: "2026-04-05 19:37:33+00"."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S+00")


def json_text(values: Iterable[str]) -> str:
    """A JSON list as Gamma writes it into a string: ["Yes", "No"]."""
    return "[" + ", ".join(quoted(value) for value in values) + "]"


def price_text(price: Decimal) -> str:
    text = f"{price:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def block_number(timestamp: int) -> int:
    return FIRST_BLOCK + (timestamp - FIRST_BLOCK_AT) // 2


def exchange_of(negative_risk: bool, timestamp: int) -> str:
    """The contract that settled a match, which Dome names as the taker of the taker's own order."""
    if timestamp >= sources.EXCHANGE_V2_SINCE:
        return sources.NEG_RISK_EXCHANGE_V2 if negative_risk else sources.CTF_EXCHANGE_V2
    return sources.NEG_RISK_EXCHANGE_V1 if negative_risk else sources.CTF_EXCHANGE_V1


def question_id(market: Market) -> str:
    return "0x" + market.condition_id[2:][::-1]


class WorldData:
    """The Data API's rows of a world."""

    dust_micro = 10_000

    def __init__(self, world: World) -> None:
        self.world = world
        self._merged: dict[str, list[Any]] = {}
        self._profiles: dict[str, tuple[str, str]] = {}
        self._labels: dict[tuple[str, int, bool], str] = {}
        self._boards: dict[tuple[str, str, int, str], list[Standing]] = {}
        span = self.world.ends_at - self.world.starts_at
        #: Some people change their display name here, and all their old rows change with it.
        self._renamed_at = self.world.starts_at + span * 2 // 3

    # -- rows ---------------------------------------------------------------------------------

    def trades(self) -> Sequence[Fill]:
        return self.world.fills

    def trades_of_wallet(self, wallet: str) -> Sequence[Fill]:
        return self.world.fills_by_wallet.get(wallet, [])

    def trades_of_markets(self, condition_ids: Iterable[str]) -> Sequence[Fill]:
        lists = [self.world.fills_by_condition.get(condition, []) for condition in condition_ids]
        if len(lists) == 1:
            return lists[0]
        return list(heapq.merge(*lists, key=position))

    def activity_of_wallet(self, wallet: str) -> Sequence[Fill | Entry]:
        merged = self._merged.get(wallet)
        if merged is None:
            fills: list[Any] = self.world.fills_by_wallet.get(wallet, [])
            entries: list[Any] = self.world.entries_by_wallet.get(wallet, [])
            merged = list(heapq.merge(fills, entries, key=position)) if entries else fills
            self._merged[wallet] = merged
        return merged

    def conditions_of_events(self, event_ids: Iterable[str]) -> list[str]:
        events = (self.world.events.get(event_id) for event_id in event_ids)
        return [condition for event in events if event for condition in event.condition_ids]

    def is_taker(self, row: Fill) -> bool:
        return row.is_taker

    def side(self, row: Fill | Entry) -> str:
        return row.side

    def activity_type(self, row: Fill | Entry) -> str:
        return "TRADE" if isinstance(row, Fill) else row.type

    # -- JSON ---------------------------------------------------------------------------------

    def _profile(self, address: str, now: int) -> str:
        """Name and pictures; every seventh person has a new name in the story's last third."""
        pair = self._profiles.get(address)
        if pair is None:
            wallet = self.world.wallets.get(address) or Wallet(address, "", "", False)
            late = f"{wallet.name} (new)" if int(address[2:], 16) % 7 == 0 else wallet.name
            rest = f'"pseudonym":{quoted(f"Quiet-{address[2:8]}")},"bio":"","profile_image":""'
            rest += ',"profile_image_optimized":""'
            pair = (f'"name":{quoted(wallet.name)},{rest}', f'"name":{quoted(late)},{rest}')
            self._profiles[address] = pair
        return pair[now >= self._renamed_at]

    def _label(self, row: Fill | Entry, now: int) -> str:
        """Title, slug, icon, event and outcome of a row, as a piece of JSON."""
        fresh = isinstance(row, Fill) and now < row.enriched_at
        key = (row.condition_id, row.outcome_index if isinstance(row, Fill) else 999, fresh)
        label = self._labels.get(key)
        if label is None:
            fields = self._fill_label(row, now) if isinstance(row, Fill) else self._entry_label(row)
            label = encode(fields).decode()[1:-1]
            self._labels[key] = label
        return label

    def _fill_label(self, row: Fill, now: int) -> dict[str, Any]:
        labels = self.world.trade_labels(row, now)
        return {
            "title": labels.title,
            "slug": labels.slug,
            "icon": f"{IMAGES}/{labels.event_slug}.png" if labels.event_slug else "",
            "event_slug": labels.event_slug,
            "outcome": labels.outcome,
            "outcome_index": labels.outcome_index,
        }

    def _entry_label(self, row: Entry) -> dict[str, Any]:
        """Rows that are no trades name no outcome, and those without a market no market."""
        market = self.world.markets.get(row.condition_id)
        event = self.world.events[market.event_id] if market and market.listed else None
        return {
            "title": market.question if market else "",
            "slug": market.slug if market else "",
            "icon": f"{IMAGES}/{event.slug}.png" if event else "",
            "event_slug": event.slug if event else "",
            "outcome": "",
            "outcome_index": 999,
        }

    def trade_json(self, row: Fill, now: int) -> str:
        return (
            f'{{"proxy_wallet":"{row.wallet}","side":"{row.side}","token_id":"{row.token_id}",'
            f'"condition_id":"{row.condition_id}","size":{number(row.shares_micro / 1e6)},'
            f'"price":{number(row.usdc_micro / row.shares_micro)},"timestamp":{row.timestamp},'
            f"{self._label(row, now)},{self._profile(row.wallet, now)},"
            f'"transaction_hash":"{row.transaction_hash}"}}'
        )

    def activity_json(self, row: Fill | Entry, now: int) -> str:
        if isinstance(row, Fill):
            # What left or reached the wallet: a taker's fee is in it.
            fee = row.fee_micro if row.side == "BUY" else -row.fee_micro
            kind, size, cash = "TRADE", row.shares_micro, row.usdc_micro + fee
            price, token, side = row.usdc_micro / row.shares_micro, row.token_id, row.side
        else:
            kind, cash = row.type, row.usdc_micro
            # The venue gives a redemption's payout as its size.
            size = cash if kind == "REDEEM" else row.shares_micro or cash
            price, token, side = 0.0, "", row.side
        combo = ',"is_combo":true' if is_combo(row.condition_id) else ""
        return (
            f'{{"proxy_wallet":"{row.wallet}","timestamp":{row.timestamp},'
            f'"condition_id":"{row.condition_id}","type":"{kind}","size":{number(size / 1e6)},'
            f'"usdc_size":{number(cash / 1e6)},"transaction_hash":"{row.transaction_hash}",'
            f'"price":{number(price)},"token_id":"{token}","side":"{side}",'
            f"{self._label(row, now)},{self._profile(row.wallet, now)}{combo}}}"
        )

    # -- the v1 routes ------------------------------------------------------------------------

    def v1_trades(self, wallet: str | None) -> Sequence[Fill]:
        return self.trades() if wallet is None else self.trades_of_wallet(wallet)

    def v1_activity(self, wallet: str) -> Sequence[Fill | Entry]:
        return self.activity_of_wallet(wallet)

    def v1_json(self, row: Fill | Entry, now: int, activity: bool) -> str:
        text = self.activity_json(row, now) if activity else self.trade_json(row, now)
        fields = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        fields.pop("is_combo", None)
        return encode({v1_name(name): value for name, value in fields.items()}).decode()

    # -- boards, positions, resolutions, prices -----------------------------------------------

    def leaderboard(self, period: str, sort_by: str, now: int, category: str = "overall") -> list[Standing]:
        """The board as of the last full hour: boards are refreshed, not computed per request."""
        as_of = now - now % 3600
        key = (period, sort_by, as_of, category)
        if key not in self._boards:
            if len(self._boards) > 16:
                self._boards.clear()
            since = as_of - PERIODS[period] if period in PERIODS else 0
            standings = []
            for wallet in self.world.wallets.values():
                if wallet.on_leaderboard:
                    standing = self._standing(wallet, since, as_of, category)
                    if standing.volume_micro:
                        standings.append(standing)
            measure = "pnl_micro" if sort_by == "PNL" else "volume_micro"
            standings.sort(key=lambda row: (-getattr(row, measure), row.wallet))
            self._boards[key] = standings
        return self._boards[key]

    def _is_of(self, condition_id: str, category: str) -> bool:
        if category == "overall":
            return True
        market = self.world.markets.get(condition_id)
        slugs = {BOARD_SLUGS.get(category, category), category}
        return market is not None and any(tag.slug in slugs for tag in self.world.events[market.event_id].tags)

    def _standing(self, wallet: Wallet, since: int, as_of: int, category: str) -> Standing:
        """In a window cash in less cash out, with what is held marked to the outcome's price; of all time, what is
        realized: losers that nobody redeemed are not in it. A category's board counts the markets of its tag."""
        cash = volume = 0
        held: dict[str, int] = defaultdict(int)
        for fill in self.trades_of_wallet(wallet.address):
            if (
                since < fill.timestamp <= as_of
                and fill.visible_at <= as_of
                and self._is_of(fill.condition_id, category)
            ):
                sign = 1 if fill.side == "BUY" else -1
                cash -= sign * fill.usdc_micro + fill.fee_micro
                held[fill.token_id] += sign * fill.shares_micro
                volume += fill.shares_micro
        value = Decimal(0)
        for token, shares in held.items():
            if shares and token in self.world.tokens:
                market, outcome = self.world.tokens[token]
                value += shares * self.world.outcome_prices(market, as_of)[outcome]
        pnl = cash + int(value)
        if not since:
            ledger = self._ledger(wallet.address, as_of)
            tokens = [token for token in ledger if self._is_of(self.world.tokens[token][0].condition_id, category)]
            pnl = int(sum(ledger[token].realized for token in tokens))
        return Standing(wallet.address, wallet.name, pnl, volume)

    def positions(self, wallet: str, now: int) -> list[PositionView]:
        ledger = self._ledger(wallet, now)
        views = [
            self._position_view(wallet, token, holding, ledger, now)
            for token, holding in ledger.items()
            if is_listed(self.world.tokens[token][0], now)
        ]
        return sorted(views, key=lambda view: view.token_id)

    def _ledger(self, wallet: str, now: int) -> dict[str, Holding]:
        """What the wallet holds of each token it ever had: the venue sees transfers on the chain, its feeds do not."""
        ledger: dict[str, Holding] = defaultdict(Holding)
        gifts: list[Any] = self.world.transfers_by_wallet.get(wallet, [])
        rows = heapq.merge(gifts, self.activity_of_wallet(wallet), key=lambda row: row.timestamp)
        for row in rows:
            if row.timestamp <= now and getattr(row, "visible_at", 0) <= now:
                self._book(ledger, row)
        return ledger

    def _book(self, ledger: dict[str, Holding], row: Fill | Entry | Transfer) -> None:
        if isinstance(row, Fill):
            ledger[row.token_id].trade(row)
            return
        if isinstance(row, Transfer):
            # A gift changes what is held and no profit: it comes and goes at the average of the rest.
            ledger[row.token_id].size += row.shares_micro
            return
        market = self.world.markets.get(row.condition_id)
        if row.type == "SPLIT" and market:
            for token in market.token_ids:
                cost = row.usdc_micro // len(market.token_ids)
                ledger[token].receive(row.shares_micro, cost, row.timestamp)
        elif row.type == "MERGE" and market:
            for token in market.token_ids:
                cash = row.usdc_micro // len(market.token_ids)
                ledger[token].give(row.shares_micro, cash, row.timestamp)
        elif row.type == "REDEEM" and market:
            payouts = market.payouts or (0,) * len(market.token_ids)
            for token, payout in zip(market.token_ids, payouts, strict=True):
                size = ledger[token].size
                if size > 0:
                    ledger[token].give(size, int(size * payout), row.timestamp)
        elif row.type == "CONVERSION":
            self._convert(ledger, row)

    def _convert(self, ledger: dict[str, Holding], row: Entry) -> None:
        """NO leaves at its own average, so that nothing is realized; YES costs what is left after the cash."""
        markets = self.world.markets_by_event[row.event_id]
        given = [market for market in markets if market.condition_id in row.converted]
        taken = [market for market in markets if market.condition_id not in row.converted]
        cost = -float(row.usdc_micro)
        for market in given:
            holding = ledger[market.token_ids[1]]
            cost += holding.average * row.shares_micro
            holding.give(row.shares_micro, holding.average * row.shares_micro, row.timestamp)
        for market in taken:
            ledger[market.token_ids[0]].receive(row.shares_micro, cost / len(taken), row.timestamp)

    def _position_view(
        self, wallet: str, token: str, held: Holding, ledger: dict[str, Holding], now: int
    ) -> PositionView:
        market, outcome = self.world.tokens[token]
        event = self.world.events[market.event_id]
        price = float(self.world.outcome_prices(market, now)[outcome])
        opposite = next((index for index in range(len(market.outcomes)) if index != outcome), 0)
        settled = market_state(market, now) in ("resolved", "voided")
        open_ = held.size > 0
        status = ("REDEEMABLE" if settled else "OPEN") if open_ else "CLOSED"
        mergeable = open_ and sum(ledger[t].size > 0 for t in market.token_ids if t in ledger) >= 2
        size, average = held.size / 1e6, held.average
        value = size * price
        cost = size * average
        realized = held.realized / 1e6
        unrealized = value - cost if open_ else 0.0
        fields = {
            "proxy_wallet": wallet,
            "token_id": token,
            "condition_id": market.condition_id,
            "current_size": size,
            "avg_price": int(average * 10_000) / 10_000,
            "entry_cost_usdc": cost,
            "entry_fees_usdc": held.fees / 1e6,
            "total_cost_usdc": cost + held.fees / 1e6,
            "current_price": price,
            "current_value": value,
            "total_size": held.bought / 1e6,
            "realized_pnl": realized,
            "unrealized_pnl": unrealized,
            "total_pnl": realized + unrealized,
            "percent_pnl": 100 * unrealized / cost if cost else 0.0,
            "percent_realized_pnl": 100 * realized / held.sold_cost if held.sold_cost else 0.0,
            "status": status,
            "redeemable": open_ and settled,
            "mergeable": mergeable,
            "negative_risk": market.negative_risk,
            "archived": False,
            "title": market.question,
            "slug": market.slug,
            "icon": f"{IMAGES}/{event.slug}.png",
            "event_id": event.id,
            "event_slug": event.slug,
            "outcome": market.outcomes[outcome],
            "outcome_index": outcome,
            "opposite_outcome": market.outcomes[opposite],
            "opposite_token_id": market.token_ids[opposite],
            "end_date": iso(event.ends_at)[:10],
            "last_event_at": held.last_at,
            "first_entry_at": held.first_at,
            "name": self.world.wallets[wallet].name if wallet in self.world.wallets else "",
            "profile_image": "",
            "verified": False,
        }
        keys = {
            "CURRENT_VALUE": value,
            "PRICE": price,
            "TOKENS": size,
            "UNREALIZED_PNL": unrealized,
            "REALIZED_PNL": realized,
            "TOTAL_PNL": realized + unrealized,
            "TIMESTAMP": float(held.last_at),
        }
        return PositionView(
            token,
            market.condition_id,
            event.id,
            market.question,
            status,
            mergeable,
            held.size,
            keys,
            encode(fields),
        )

    def resolution_json(self, condition_id: str, now: int) -> str | None:
        market = self.world.markets.get(condition_id)
        if market is None or not is_listed(market, now):
            return None
        state = market_state(market, now)
        fields: dict[str, Any] = {
            "condition_id": condition_id,
            "status": {"proposed": "proposed", "resolved": "resolved", "voided": "resolved"}.get(state, "posed"),
            "extended_review": False,
            "was_disputed": is_disputed(market),
            "new_version_q": False,
            "transaction_hash": "",
            "log_index": "",
            "last_update_timestamp": iso(market.created_at),
        }
        if state == "proposed":
            fields["last_update_timestamp"] = iso(market.closes_at)
        elif state in ("resolved", "voided") and market.resolved_at is not None:
            payouts = market.payouts or (0,) * len(market.outcomes)
            fields |= {
                "last_update_timestamp": iso(market.resolved_at),
                "payouts": [int(payout * 1_000_000) for payout in payouts],
                "resolution_source": "reported",
                "was_arbitrated": False,
                "resolved_block": block_number(market.resolved_at),
                "resolved_at": iso(market.resolved_at),
            }
        return encode(fields).decode()

    def prices(self, token_id: str, now: int) -> list[tuple[int, float]]:
        """(time, price) at each match; of two outcomes, one's match prices the other too."""
        if token_id not in self.world.tokens:
            return []
        market, outcome = self.world.tokens[token_id]
        points = []
        for fill in self.world.fills_by_condition[market.condition_id]:
            if fill.timestamp > now:
                break
            if fill.is_taker:
                price = fill.usdc_micro / fill.shares_micro
                if fill.outcome_index == outcome:
                    points.append((fill.timestamp, price))
                elif len(market.outcomes) == 2:
                    points.append((fill.timestamp, 1 - price))
        return points


@dataclass(slots=True)
class Holding:
    """One token in one wallet, at average cost. Millionths, except `average` (dollars a share)."""

    size: int = 0
    average: float = 0.0
    bought: int = 0
    realized: float = 0.0
    sold_cost: float = 0.0
    fees: int = 0
    first_at: int = 0
    last_at: int = 0

    def trade(self, fill: Fill) -> None:
        self.fees += fill.fee_micro
        if fill.side == "BUY":
            self.receive(fill.shares_micro, fill.usdc_micro, fill.timestamp)
        else:
            self.give(fill.shares_micro, fill.usdc_micro, fill.timestamp)

    def receive(self, shares: int, cost: float, at: int) -> None:
        held = max(self.size, 0)
        self.average = (self.average * held + cost) / (held + shares)
        self.size += shares
        self.bought += shares
        self.first_at = self.first_at or at
        self.last_at = at

    def give(self, shares: int, cash: float, at: int) -> None:
        self.realized += cash - self.average * shares
        self.sold_cost += self.average * shares / 1e6
        self.size -= shares
        self.first_at = self.first_at or at
        self.last_at = at


def v1_name(name: str) -> str:
    """The v1 spelling of a v2 field."""
    if name == "token_id":
        return "asset"
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def is_disputed(market: Market) -> bool:
    """Whether the first proposal of an outcome was disputed."""
    end = market.resolved_at
    return end is not None and resolution_status(market, end - 1) == "disputed"


def is_listed(market: Market, now: int) -> bool:
    return market_state(market, now) != "unlisted"


class WorldGamma:
    """Gamma's markets and events of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._markets = sorted(self.world.markets.values(), key=lambda row: id_order(row.id))
        self._events = sorted(self.world.events.values(), key=lambda row: id_order(row.id))
        self._market_by_id = {market.id: market for market in self._markets}
        # Lists as of the moment of the last request.
        self._market_views: tuple[int, list[MarketView]] = (-1, [])
        self._event_views: tuple[int, list[EventView]] = (-1, [])
        self._event_fields_at = -1
        self._kept_event_fields: dict[str, dict[str, Any]] = {}

    def markets(self, now: int) -> list[MarketView]:
        if self._market_views[0] != now:
            views = [self._market_view(market, now) for market in self._markets if is_listed(market, now)]
            self._market_views = (now, views)
        return self._market_views[1]

    def _market_view(self, market: Market, now: int) -> MarketView:
        state = market_state(market, now)
        event = self.world.events[market.event_id]
        return MarketView(
            id=market.id,
            condition_id=market.condition_id,
            slug=market.slug,
            token_ids=market.token_ids,
            event_id=market.event_id,
            active=state != "upcoming",
            closed=is_closed(state),
            uma_status=resolution_status(market, now),
            tag_ids=frozenset(tag.id for tag in event.tags),
        )

    def _listed_of(self, event: Event, now: int) -> list[Market]:
        markets = (self.world.markets[condition] for condition in event.condition_ids)
        return [market for market in markets if is_listed(market, now)]

    def _event_closed(self, markets: list[Market], now: int) -> bool:
        return bool(markets) and all(is_closed(market_state(market, now)) for market in markets)

    def events(self, now: int) -> list[EventView]:
        if self._event_views[0] != now:
            self._event_views = (now, self._event_list(now))
        return self._event_views[1]

    def _event_list(self, now: int) -> list[EventView]:
        views = []
        for event in self._events:
            markets = self._listed_of(event, now)
            if event.created_at <= now and markets:
                views.append(
                    EventView(
                        id=event.id,
                        slug=event.slug,
                        active=True,
                        closed=self._event_closed(markets, now),
                        tag_ids=frozenset(tag.id for tag in event.tags),
                        tag_slugs=frozenset(tag.slug for tag in event.tags),
                    )
                )
        return views

    def market_value(self, market_id: str, name: str, now: int) -> Any:
        market = self._market_by_id[market_id]
        if name in ("volume", "volumeNum"):
            return self.world.volume_micro(market.condition_id, now)
        if name == "volume24hr":
            return self.world.volume_micro(market.condition_id, now, now - DAY)
        if name in ("liquidity", "liquidityNum"):
            return liquidity_micro(market, now)
        return self._moment(name, market, now)

    def _moment(self, name: str, market: Market, now: int) -> int:
        return {
            "createdAt": market.created_at,
            "startDate": market.opens_at,
            "endDate": self.world.events[market.event_id].ends_at,
            "updatedAt": self._updated_at(market, now),
            "closedTime": closed_time(market, now) or 0,
        }[name]

    def event_value(self, event_id: str, name: str, now: int) -> Any:
        event = self.world.events[event_id]
        if name.startswith(("volume", "liquidity")):
            markets = self._listed_of(event, now)
            return sum(self.market_value(market.id, name, now) for market in markets)
        if name in ("createdAt", "startDate", "endDate"):
            return {"createdAt": event.created_at, "startDate": event.starts_at}.get(name, event.ends_at)
        markets = self._listed_of(event, now)
        return max((self._moment(name, market, now) for market in markets), default=0)

    def _updated_at(self, market: Market, now: int) -> int:
        """The newest change: a life event or the last match."""
        moments = [market.created_at, market.opens_at, market.closes_at, market.resolved_at or 0]
        last = self._matches(market, now)
        if last:
            moments.append(self.world.fills_by_condition[market.condition_id][last - 1].timestamp)
        return max(moment for moment in moments if moment <= now)

    def market_json(self, market_id: str, now: int, include_tag: bool) -> bytes:
        market = self._market_by_id[market_id]
        event = self.world.events[market.event_id]
        fields = self._market_fields(market, now)
        fields["events"] = [self._event_fields(event, now)]
        if include_tag:
            fields["tags"] = [tag_fields(tag) for tag in event.tags]
        return encode(fields)

    def event_json(self, event_id: str, now: int, include_markets: bool) -> bytes:
        event = self.world.events[event_id]
        fields = self._event_fields(event, now)
        if include_markets:
            listed = self._listed_of(event, now)
            fields["markets"] = [self._market_fields(market, now) for market in listed]
        fields["tags"] = [tag_fields(tag) for tag in event.tags]
        return encode(fields)

    def tags(self) -> list[bytes]:
        tags = {tag.id: tag for event in self._events for tag in event.tags}
        return [encode(tag_fields(tags[key])) for key in sorted(tags, key=id_order)]

    def _market_fields(self, market: Market, now: int) -> dict[str, Any]:
        state = market_state(market, now)
        closed = is_closed(state)
        prices = self.world.outcome_prices(market, now)
        volume = self.world.volume_micro(market.condition_id, now)

        def volume_of(days: int) -> float:
            since = now - days * DAY
            return self.world.volume_micro(market.condition_id, now, since) / 1e6

        liquidity = liquidity_micro(market, now)
        event = self.world.events[market.event_id]
        status = resolution_status(market, now)
        fields: dict[str, Any] = {
            "id": market.id,
            "question": market.question,
            "conditionId": market.condition_id,
            "slug": market.slug,
            "resolutionSource": "",
            "endDate": iso(event.ends_at),
            "category": market.legacy_category,
            "liquidity": micro_text(liquidity),
            "startDate": iso(market.opens_at).replace("Z", ".174Z"),
            "image": f"{IMAGES}/{event.slug}.png",
            "icon": f"{IMAGES}/{event.slug}.png",
            "description": f"This market resolves by its rules: {market.question}",
            "outcomes": json_text(market.outcomes),
            "outcomePrices": json_text(price_text(price) for price in prices),
            "volume": micro_text(volume),
            # A closed market stays active.
            "active": state != "upcoming",
            "closed": closed,
            "marketMakerAddress": "",
            "createdAt": iso(market.created_at).replace("Z", ".397014Z"),
            "updatedAt": iso(self._updated_at(market, now)).replace("Z", ".917145Z"),
            "new": False,
            "featured": False,
            "archived": False,
            "restricted": True,
            "groupItemTitle": market.question if market.negative_risk else "",
            "questionID": question_id(market),
            "enableOrderBook": True,
            "orderPriceMinTickSize": 0.001,
            "orderMinSize": 5,
            "volumeNum": volume / 1e6,
            "liquidityNum": liquidity / 1e6,
            "endDateIso": iso(event.ends_at)[:10],
            "startDateIso": iso(market.opens_at)[:10],
            "hasReviewedDates": True,
            "volume24hr": volume_of(1),
            "volume1wk": volume_of(7),
            "volume1mo": volume_of(30),
            "volume1yr": volume_of(365),
            "version": "v1",
            "clobTokenIds": json_text(market.token_ids),
            "acceptingOrders": state == "open",
            "negRisk": market.negative_risk,
            "umaResolutionStatuses": json_text(uma_history(market, status)),
            **fee_fields(market, closed),
        }
        ended = closed_time(market, now)
        if ended is not None:
            fields["closedTime"] = spaced(ended)
        if status is not None:
            fields["umaResolutionStatus"] = status
        if state in ("resolved", "voided") and market.resolved_at is not None:
            fields["umaEndDate"] = iso(market.resolved_at)
        if market.negative_risk:
            fields["negRiskMarketID"] = "0x" + f"{int(event.id):064x}" if event.id.isdigit() else ""
        if self._matches(market, now):
            fields["lastTradePrice"] = float(self.world.last_price(market.condition_id, now))
        if state == "open":
            yes = float(prices[0])
            fields["bestBid"] = round(max(yes - 0.005, 0.001), 3)
            fields["bestAsk"] = round(min(yes + 0.005, 0.999), 3)
            fields["spread"] = round(fields["bestAsk"] - fields["bestBid"], 3)
        return fields

    def _matches(self, market: Market, now: int) -> int:
        """How many of the market's fills lie before now."""
        fills = self.world.fills_by_condition[market.condition_id]
        return bisect_right(fills, now, key=lambda fill: fill.timestamp)

    def _event_fields(self, event: Event, now: int) -> dict[str, Any]:
        """The event's own fields: a fresh copy, as its markets or tags may be added to it."""
        if self._event_fields_at != now:
            self._event_fields_at = now
            self._kept_event_fields.clear()
        if event.id not in self._kept_event_fields:
            self._kept_event_fields[event.id] = self._new_event_fields(event, now)
        return dict(self._kept_event_fields[event.id])

    def _new_event_fields(self, event: Event, now: int) -> dict[str, Any]:
        markets = self._listed_of(event, now)
        closed = self._event_closed(markets, now)
        volume = sum(self.world.volume_micro(market.condition_id, now) for market in markets)
        fields: dict[str, Any] = {
            "id": event.id,
            "ticker": event.slug,
            "slug": event.slug,
            "title": event.title,
            "description": f"All about: {event.title}",
            "resolutionSource": "",
            "startDate": iso(event.starts_at).replace("Z", ".262673Z"),
            "creationDate": iso(event.created_at).replace("Z", ".262669Z"),
            "endDate": iso(event.ends_at),
            "image": f"{IMAGES}/{event.slug}.png",
            "icon": f"{IMAGES}/{event.slug}.png",
            "active": True,
            "closed": closed,
            "archived": False,
            "new": False,
            "featured": False,
            "restricted": True,
            # Numbers here, where the market has texts.
            "liquidity": sum(liquidity_micro(market, now) for market in markets) / 1e6,
            "volume": volume / 1e6,
            "createdAt": iso(event.created_at).replace("Z", ".249386Z"),
            "updatedAt": iso(max((self._updated_at(market, now) for market in markets), default=now)),
            "enableOrderBook": True,
            "negRisk": event.negative_risk,
            "enableNegRisk": event.negative_risk,
        }
        if closed:
            fields["closedTime"] = iso(max(closed_time(market, now) or 0 for market in markets))
        return fields


def is_closed(state: str) -> bool:
    return state in ("closed", "proposed", "resolved", "voided")


def uma_history(market: Market, status: str | None) -> list[str]:
    """All statuses so far: proposed, and if that was disputed, disputed and proposed again."""
    if status is None:
        return []
    if status == "proposed" or not is_disputed(market):
        return ["proposed"]
    again = ["proposed"] if status == "resolved" else []
    return ["proposed", "disputed", *again]


def fee_fields(market: Market, closed: bool) -> dict[str, Any]:
    """The fee schedule; every second market loses it when it closes."""
    if not market.fee_rate:
        return {"feesEnabled": False, "feeType": None}
    if closed and int(market.condition_id[-4:], 16) % 2:
        return {"feesEnabled": False, "feeType": None}
    return {
        "feesEnabled": True,
        "feeType": "general_fees",
        "feeSchedule": {
            "exponent": 1,
            "rate": float(market.fee_rate),
            "takerOnly": True,
            "rebateRate": 0.25,
        },
        "makerBaseFee": 1000,
        "takerBaseFee": 1000,
    }


def liquidity_micro(market: Market, now: int) -> int:
    """Some liquidity while the market is open."""
    if market_state(market, now) != "open":
        return 0
    return 1_000_000 * (1_000 + int(market.condition_id[-4:], 16))


def tag_fields(tag: Tag) -> dict[str, Any]:
    return {
        "id": tag.id,
        "label": tag.label,
        "slug": tag.slug,
        "forceShow": False,
        "createdAt": "2024-08-05T05:34:54.235643Z",
        "updatedAt": "2026-04-17T20:34:30.088167Z",
        "requiresTranslation": False,
    }


class WorldDome:
    """Dome's view of a world: every order fill of every wallet, and splits, merges, redemptions."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._lists: dict[tuple[str, str], list[Any]] = {}
        self._market_by_slug = {market.slug: market for market in self.world.markets.values()}
        # Lists as of the moment of the last request.
        self._market_views: tuple[int, list[DomeMarketView]] = (-1, [])
        self._event_views: tuple[int, list[DomeEventView]] = (-1, [])

    def dome_position(self, row: Fill | Entry) -> tuple[int, str, int]:
        return (row.timestamp, row.transaction_hash, row.log_index)

    def _sorted(self, kind: str, key: str, rows: Iterable[Any]) -> list[Any]:
        if (kind, key) not in self._lists:
            self._lists[kind, key] = sorted(rows, key=self.dome_position)
        return self._lists[kind, key]

    def orders(self, user: str | None, condition_id: str | None, token_id: str | None) -> Sequence[Fill]:
        if user is not None:
            rows = self._sorted("user", user, self.world.fills_by_wallet.get(user, ()))
        else:
            condition = condition_id
            if token_id is not None:
                market = self.world.tokens.get(token_id)
                condition = market[0].condition_id if market else ""
            condition = condition or ""
            fills = self.world.fills_by_condition.get(condition, ())
            rows = self._sorted("market", condition, fills)
        if token_id is not None:
            return [row for row in rows if row.token_id == token_id]
        if user is not None and condition_id is not None:
            return [row for row in rows if row.condition_id == condition_id]
        return rows

    def activity(self, user: str | None) -> Sequence[Entry]:
        entries = self.world.entries
        if user is not None:
            entries = self.world.entries_by_wallet.get(user, [])
        kept = (entry for entry in entries if entry.type in ("SPLIT", "MERGE", "REDEEM"))
        return self._sorted("activity", user or "", kept)

    def condition_of_slug(self, market_slug: str) -> str | None:
        market = self._market_by_slug.get(market_slug)
        return market.condition_id if market else None

    def _market_names(self, condition_id: str) -> dict[str, Any]:
        market = self.world.markets.get(condition_id)
        return {
            "market_slug": market.slug if market else "",
            "condition_id": condition_id,
            "title": market.question if market else "",
        }

    def order_json(self, row: Fill, now: int, complete: bool) -> bytes:
        market = self.world.markets.get(row.condition_id)
        names = self._market_names(row.condition_id)
        fields: dict[str, Any] = {"token_id": row.token_id}
        if complete:
            fields["token_label"] = market.outcomes[row.outcome_index] if market else ""
        fields |= {"side": row.side, **names, "shares": row.shares_micro}
        fields["shares_normalized"] = plain(row.shares_micro)
        fields["price"] = row.usdc_micro / row.shares_micro
        if complete:
            fields["block_number"] = block_number(row.timestamp)
            fields["log_index"] = row.log_index
        fields |= {
            "tx_hash": row.transaction_hash,
            "timestamp": row.timestamp,
            "order_hash": row.order_hash,
            "user": row.wallet,
        }
        if complete:
            # The taker's own order is filled by the exchange, a maker's order by the taker.
            negative_risk = bool(market and market.negative_risk)
            exchange = exchange_of(negative_risk, row.timestamp)
            fields["taker"] = exchange if row.is_taker else row.counterparty
        return encode(fields)

    def activity_json(self, row: Entry, now: int, complete: bool) -> bytes:
        shares = row.usdc_micro if row.type == "REDEEM" else row.shares_micro
        fields: dict[str, Any] = {"token_id": "", "side": row.type}
        fields |= self._market_names(row.condition_id)
        fields |= {"shares": shares, "shares_normalized": plain(shares), "price": 1}
        if complete:
            fields["block_number"] = block_number(row.timestamp)
            fields["log_index"] = row.log_index
        fields |= {
            "tx_hash": row.transaction_hash,
            "timestamp": row.timestamp,
            "order_hash": "",
            "user": row.wallet,
        }
        return encode(fields)

    def markets(self, now: int) -> list[DomeMarketView]:
        if self._market_views[0] != now:
            self._market_views = (now, self._market_list(now))
        return self._market_views[1]

    def _market_list(self, now: int) -> list[DomeMarketView]:
        views = []
        for market in self.world.markets.values():
            if is_listed(market, now):
                event = self.world.events[market.event_id]
                views.append(
                    DomeMarketView(
                        condition_id=market.condition_id,
                        market_slug=market.slug,
                        event_slug=event.slug,
                        title=market.question,
                        token_ids=market.token_ids,
                        tags=tuple(tag.label for tag in event.tags),
                        status="closed" if is_closed(market_state(market, now)) else "open",
                        volume=self.world.volume_micro(market.condition_id, now) / 1e6,
                        start_time=market.created_at,
                        end_time=event.ends_at,
                    )
                )
        return views

    def market_json(self, condition_id: str, now: int, winner_as_object: bool) -> bytes:
        market = self.world.markets[condition_id]
        event = self.world.events[market.event_id]
        state = market_state(market, now)

        def volume_of(days: int) -> float:
            return self.world.volume_micro(condition_id, now, now - days * DAY) / 1e6

        ended = closed_time(market, now)
        sides = [{"id": token, "label": label} for token, label in zip(market.token_ids, market.outcomes, strict=True)]
        winner = None
        if state == "resolved" and market.payouts is not None and 1 in market.payouts:
            side = sides[market.payouts.index(1)]
            winner = side if winner_as_object else side["label"]
        resolved = state in ("resolved", "voided")
        game = None
        if event.category == "Sports":
            moment = datetime.fromtimestamp(market.closes_at, UTC)
            # Old and new notation, as the two generations of rows have it.
            game = moment.strftime("%Y-%m-%dT%H:%M:%S.000000000Z" if winner_as_object else "%Y-%m-%d %H:%M:%S.000")
        fields: dict[str, Any] = {
            "market_slug": market.slug,
            "event_slug": event.slug,
            "condition_id": condition_id,
            "title": market.question,
            "start_time": market.created_at,
            "end_time": event.ends_at,
            "completed_time": market.resolved_at if resolved else None,
            "close_time": ended,
            "game_start_time": game,
            "tags": [tag.label for tag in event.tags],
            "volume_1_week": volume_of(7),
            "volume_1_month": volume_of(30),
            "volume_1_year": volume_of(365),
            "volume_total": self.world.volume_micro(condition_id, now) / 1e6,
            "resolution_source": "",
            "image": f"{IMAGES}/{event.slug}.png",
            "description": f"This market resolves by its rules: {market.question}",
            "negative_risk_id": event.id if market.negative_risk else None,
            "side_a": sides[0],
            "side_b": sides[1],
            "winning_side": winner,
            "status": "closed" if is_closed(state) else "open",
            "extra_fields": {},
        }
        return encode(fields)

    def _listed_of(self, event: Event, now: int) -> list[Market]:
        markets = (self.world.markets[condition] for condition in event.condition_ids)
        return [market for market in markets if is_listed(market, now)]

    def events(self, now: int) -> list[DomeEventView]:
        if self._event_views[0] != now:
            self._event_views = (now, self._event_list(now))
        return self._event_views[1]

    def _event_list(self, now: int) -> list[DomeEventView]:
        views = []
        for event in self.world.events.values():
            markets = self._listed_of(event, now)
            if markets:
                closed = all(is_closed(market_state(market, now)) for market in markets)
                volume = sum(self.world.volume_micro(row.condition_id, now) for row in markets)
                tags = tuple(tag.label for tag in event.tags)
                status = "closed" if closed else "open"
                views.append(DomeEventView(event.slug, tags, status, volume / 1e6, event.starts_at, event.ends_at))
        return views

    @cached_property
    def _event_by_slug(self) -> dict[str, Event]:
        return {event.slug: event for event in self.world.events.values()}

    def event_json(self, slug: str, now: int, include_markets: bool) -> bytes:
        event = self._event_by_slug[slug]
        markets = self._listed_of(event, now)
        states = {row.condition_id: market_state(row, now) for row in markets}
        volumes = {key: self.world.volume_micro(key, now) for key in states}
        closed = all(is_closed(state) for state in states.values())
        fields: dict[str, Any] = {
            "event_slug": slug,
            "title": event.title,
            "subtitle": None,
            "status": "closed" if closed else "open",
            "start_time": event.starts_at,
            "end_time": event.ends_at,
            "volume_fiat_amount": sum(volumes.values()) / 1e6,
            "settlement_sources": None,
            "rules_url": None,
            "image": f"{IMAGES}/{slug}.png",
            "tags": [tag.label for tag in event.tags],
            "market_count": len(markets),
        }
        if include_markets:
            fields["markets"] = [
                {
                    "market_slug": market.slug,
                    "title": market.question,
                    "condition_id": market.condition_id,
                    "status": "closed" if is_closed(states[market.condition_id]) else "open",
                    "volume_total": volumes[market.condition_id] / 1e6,
                }
                for market in markets
            ]
        return encode(fields)

    def sides(self, condition_id: str) -> list[tuple[str, str]]:
        """(token, label) of each outcome."""
        market = self.world.markets.get(condition_id)
        if market is None:
            return []
        return list(zip(market.token_ids, market.outcomes, strict=True))

    def wallet_of_handle(self, handle: str) -> str | None:
        wallets = self.world.wallets.values()
        return next((wallet.address for wallet in wallets if wallet.name == handle), None)

    def wallet_json(self, address: str, now: int, with_metrics: bool) -> bytes | None:
        wallet = self.world.wallets.get(address)
        if wallet is None:
            return None
        fields: dict[str, Any] = {
            "eoa": "0x" + address[2:][::-1],
            "proxy": address,
            "wallet_type": "safe",
            "handle": wallet.name,
            "pseudonym": wallet.name,
            "image": None,
        }
        if with_metrics:
            fills = [fill for fill in self.world.fills_by_wallet.get(address, ()) if fill.visible_at <= now]
            kinds = [entry.type for entry in self.world.entries_by_wallet.get(address, ()) if entry.visible_at <= now]
            by_day: dict[str, list[int]] = defaultdict(list)
            for fill in fills:
                by_day[iso(fill.timestamp)[:10]].append(fill.shares_micro)
            best = max(by_day, key=lambda day: (sum(by_day[day]), day), default=None)
            fields["wallet_metrics"] = {
                "total_volume": sum(fill.usdc_micro for fill in fills) / 1e6,
                "total_trades": sum(not fill.is_taker for fill in fills),
                "total_markets": len({fill.condition_id for fill in fills}),
                "highest_volume_day": {
                    "date": best or "1970-01-01",
                    "volume": sum(by_day[best]) / 1e6 if best else 0,
                    "trades": len(by_day[best]) if best else 0,
                },
                "merges": kinds.count("MERGE"),
                "splits": kinds.count("SPLIT"),
                "conversions": kinds.count("CONVERSION"),
                "redemptions": kinds.count("REDEEM"),
            }
        return encode(fields)


def plain(micro: int) -> int | float:
    """Dome writes whole numbers without a fraction."""
    return micro // 1_000_000 if micro % 1_000_000 == 0 else micro / 1e6


class WorldSource:
    """A synthetic world behind the APIs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.starts_at = world.starts_at
        self.ends_at = world.ends_at
        self.data = WorldData(world)
        self.gamma = WorldGamma(world)
        self.dome = WorldDome(world)

    def stats(self, now: int) -> dict[str, Any]:
        fills, entries = self.world.fills, self.world.entries
        at = bisect_right(fills, now, key=lambda fill: fill.timestamp)
        return {
            "kind": "world",
            "seed": self.world.seed,
            "wallets": len(self.world.wallets),
            "events": len(self.world.events),
            "markets": len(self.world.markets),
            "fills": len(fills),
            "entries": len(entries),
            "fills_so_far": at,
            "fills_visible": sum(fill.visible_at <= now for fill in fills[:at]),
            "starts_at": self.starts_at,
            "ends_at": self.ends_at,
        }
