"""What each venue has in the warehouse: markets, prices, and from when to when they reach."""

from __future__ import annotations

from datetime import datetime

from rich.console import Console
from rich.table import Table

from report.warehouse import Warehouse

VENUES_SQL = """
with listed as (
    select
        venue,
        count(*) as markets,
        sum(case when status in ('open', 'suspended') then 1 else 0 end) as open_markets
    from {schema}.markets
    group by venue
),
priced as (
    select
        venue,
        count(distinct contract_id) as contracts,
        sum(case when fidelity = 'observed' then 1 else 0 end) as observed,
        sum(case when fidelity = 'observed' then 0 else 1 end) as of_history,
        min(snapshot_time) as first_at,
        max(snapshot_time) as last_at
    from {schema}.price_snapshots
    group by venue
)
select
    listed.venue,
    listed.markets,
    listed.open_markets,
    priced.contracts,
    priced.observed,
    priced.of_history,
    priced.first_at,
    priced.last_at
from listed
left join priced on listed.venue = priced.venue
order by listed.markets desc, listed.venue
"""


def print_venues(console: Console, warehouse: Warehouse) -> None:
    """Prints one line per venue; nothing is made up where a venue has no prices."""
    table = Table(box=None, pad_edge=False)
    for name in ("venue", "markets", "open", "contracts priced", "observed", "history", "from", "to"):
        table.add_column(name, justify="left" if name in ("venue", "from", "to") else "right")
    for venue, *counts, first_at, last_at in warehouse.rows(VENUES_SQL):
        table.add_row(venue, *(f"{int(count or 0):,}" for count in counts), _day(first_at), _day(last_at))
    console.print(table)


def _day(moment: datetime | None) -> str:
    return "–" if moment is None else f"{moment:%Y-%m-%d}"
