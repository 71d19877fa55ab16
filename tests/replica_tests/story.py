"""Stories small enough to work out by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from tests.replica.model import Ending, Entry, EntryType, Event, Fill, Market, Side, Wallet
from tests.replica.truth import Truth, truth
from tests.replica.units import DAY, Row
from tests.replica.world import World
from tests.replica.world.tags import TAGS

START = 1_700_000_000
CLOSE = START + 50 * DAY
RESOLVED = START + 51 * DAY
NOW = START + 60 * DAY
ANN, BOB = "0x" + "a" * 40, "0x" + "b" * 40


class Story:
    """Builds a world market by market and fill by fill. Shares and dollars in whole units."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.markets: dict[str, Market] = {}
        self.fills: list[Fill] = []
        self.entries: list[Entry] = []
        self._clock = START + DAY

    def market(
        self,
        *payouts: float | Fraction,
        tag: str = "crypto",
        category: str = "Crypto",
        resolved_at: int = RESOLVED,
        event: str | None = None,
        **changes: Any,
    ) -> str:
        """A binary market unless told otherwise; without payouts it stays open. -> condition id"""
        number = len(self.markets) + 1
        condition_id = f"0x{number:064x}"
        event_id = event or str(number)
        vector = tuple(Fraction(paid).limit_denominator(1000) for paid in payouts)
        ending: Ending = "binary" if vector else "open"
        market = Market(
            id=str(number),
            condition_id=condition_id,
            slug=f"market-{number}",
            question=f"Question {number}?",
            event_id=event_id,
            outcomes=("Yes", "No"),
            token_ids=(f"{number}001", f"{number}002"),
            created_at=START - DAY,
            opens_at=START,
            closes_at=min(CLOSE, resolved_at - 1) if vector else NOW + DAY,
            resolved_at=resolved_at if vector else None,
            ending=ending,
            payouts=vector or None,
            fee_rate=Fraction(0),
            negative_risk=event is not None,
            legacy_category=None,
        )
        self.markets[condition_id] = replace(market, **changes)
        siblings = self.events[event_id].condition_ids if event_id in self.events else ()
        self.events[event_id] = Event(
            id=event_id,
            slug=f"event-{event_id}",
            title=f"Event {event_id}",
            tags=(TAGS[tag],),
            category=category,
            negative_risk=event is not None,
            created_at=START - DAY,
            starts_at=START,
            ends_at=CLOSE,
            condition_ids=(*siblings, condition_id),
        )
        return condition_id

    def fill(
        self,
        wallet: str,
        side: Side,
        condition_id: str,
        shares: float,
        usd: float,
        *,
        outcome: int = 0,
        fee: float = 0,
        **changes: Any,
    ) -> Fill:
        number = len(self.fills) + 1
        self._clock += 60
        fill = Fill(
            sequence_id=1000 + number,
            transaction_hash=f"0x{number:064x}",
            log_index=number,
            order_hash=f"0x{number:064x}",
            wallet=wallet,
            counterparty=BOB if wallet == ANN else ANN,
            token_id=self.markets[condition_id].token_ids[outcome],
            condition_id=condition_id,
            outcome_index=outcome,
            side=side,
            shares_micro=round(shares * 10**6),
            usdc_micro=round(usd * 10**6),
            fee_micro=round(fee * 10**6),
            is_taker=fee > 0,
            timestamp=self._clock,
            visible_at=self._clock,
            enriched_at=self._clock,
        )
        self.fills.append(replace(fill, **changes))
        return self.fills[-1]

    def entry(self, wallet: str, kind: EntryType, condition_id: str, usd: float) -> None:
        timestamp = RESOLVED + 60 if kind == "REDEEM" else self._clock
        self._enter(wallet, kind, condition_id, usd, usd, timestamp)

    def convert(self, wallet: str, given: Sequence[str], shares: float, *, named: bool = True) -> None:
        """The row names the first market only, or none."""
        self._enter(wallet, "CONVERSION", given[0], shares, (len(given) - 1) * shares, self._clock, tuple(given))
        if not named:
            self.entries[-1] = replace(self.entries[-1], condition_id="")

    def income(self, wallet: str, kind: EntryType, usd: float) -> None:
        self._enter(wallet, kind, "", usd, usd, self._clock)

    def _enter(
        self,
        wallet: str,
        kind: EntryType,
        condition_id: str,
        shares: float,
        usd: float,
        timestamp: int,
        converted: tuple[str, ...] = (),
    ) -> None:
        self._clock += 60
        self.entries.append(
            Entry(
                sequence_id=9_000_000 + len(self.entries),
                transaction_hash=f"0x{9_000_000 + len(self.entries):064x}",
                log_index=1,
                wallet=wallet,
                type=kind,
                condition_id=condition_id,
                event_id=self.markets[condition_id].event_id if condition_id else "",
                converted=converted,
                shares_micro=round(shares * 10**6),
                usdc_micro=round(usd * 10**6),
                timestamp=timestamp,
                visible_at=timestamp,
            )
        )

    def result(self, wallet: str, pnl: float, stake: float = 10, **market: Any) -> str:
        """A resolved market in which the wallet staked `stake` and made `pnl`. -> condition id"""
        condition_id = self.market(1, 0, **market)
        if pnl > -stake:
            # Shares of the winner pay a dollar each.
            self.fill(wallet, "BUY", condition_id, stake + pnl, stake)
        else:
            self.fill(wallet, "BUY", condition_id, 2 * stake, stake, outcome=1)
        return condition_id

    def world(self, wallets: Iterable[str] = (ANN, BOB)) -> World:
        return World(
            seed=0,
            starts_at=START,
            ends_at=NOW,
            fees_begin_at=START,
            wallets={w: Wallet(w, w[:6], "zero_edge", False) for w in wallets},
            events=self.events,
            markets=self.markets,
            fills=self.fills,
            entries=self.entries,
        )

    def truth(self, now: int = NOW, **options: Any) -> Truth:
        return truth(self.world(), now, **options)


def only(rows: Iterable[Row], **wanted: Any) -> Row:
    (row,) = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return row
