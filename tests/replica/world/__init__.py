"""A deterministic synthetic venue: wallets, events, markets and everything that happened in them.

`build_world(seed=…, wallets=…, markets=…, fills=…, days=…, ends_at=…)` gives a `World`; the same
arguments give the same world. Shares and dollars are integers in millionths, times UNIX seconds.

What the venue shows at a moment `now`:
    world.visible_fills(wallet, now), .visible_entries(wallet, now)   rows with visible_at <= now
    world.trade_labels(fill, now)        names in a trade row, unenriched while it is fresh
    world.listed_markets(now), .listed_events(now)
    market_state(market, now)            unlisted|upcoming|open|closed|proposed|resolved|voided
    resolution_status(market, now)       umaResolutionStatus, None where the field is absent
    closed_time(market, now)             closedTime: end of trading, then moment of resolution
    world.outcome_prices(market, now)    outcomePrices
    world.last_price(condition_id, now), world.volume_micro(condition_id, now, since=0)

Indexes: fills_by_wallet, fills_by_condition, entries_by_wallet, markets_by_event, markets_by_id,
markets_by_slug, events_by_slug, tokens (token id -> market and outcome index).
"""

from tests.replica.world.build import DEFAULT_END, build_world
from tests.replica.world.core import (
    State,
    TradeLabels,
    World,
    closed_time,
    is_combo,
    market_state,
    proposed_at,
    resolution_status,
)
from tests.replica.world.trading import DUST_SHARES_MICRO

__all__ = [
    "DEFAULT_END",
    "DUST_SHARES_MICRO",
    "State",
    "TradeLabels",
    "World",
    "build_world",
    "closed_time",
    "is_combo",
    "market_state",
    "proposed_at",
    "resolution_status",
]
