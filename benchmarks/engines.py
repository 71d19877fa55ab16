"""Hand-written queries for the omega of every wallet, category and period, in DuckDB and in ClickHouse (`chdb`).

Started by `benchmarks.omega`, one process per engine. Both engines get the same inputs as tables of their own before
the clock starts: the fills as `trades` has them, what each token paid, and which ledgers are broken.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

INPUTS = {
    "fills": (
        "select wallet_address, token_id, side, shares, usd_value, fee_usd, timestamp as traded_at "
        "from polyomega.trades"
    ),
    "tokens": (
        "select outcomes.contract_id as token_id, outcomes.market_id, markets.category, outcomes.payout, "
        "outcomes.resolved_at from polyomega_intermediate.int_market_outcomes as outcomes "
        "inner join polyomega_intermediate.int_markets as markets on outcomes.market_id = markets.market_id "
        "where outcomes.is_resolved"
    ),
    "broken": (
        "select distinct wallet_address, market_id from polyomega.wallet_market_pnl "
        "where not_scored_reason = 'ledger_break'"
    ),
    "moment": "select as_of from polyomega_intermediate.int_as_of",
}

#: Fills to profits per wallet and market. {double} and {any} are what the two engines spell differently.
_FROM_FILLS = """
positions as (
    select
        wallet_address,
        token_id,
        sum(case when side = 'BUY' then -usd_value else usd_value end) - sum(coalesce(fee_usd, 0)) as cash,
        sum(case when side = 'BUY' then shares else -shares end) as held
    from fills
    where traded_at <= (select as_of from moment)
    group by wallet_address, token_id
),

observations as (
    select
        positions.wallet_address as wallet_address,
        tokens.market_id as market_id,
        {any}(tokens.category) as category,
        {any}(tokens.resolved_at) as resolved_at,
        cast(sum(positions.cash + positions.held * tokens.payout) as {double}) as pnl
    from positions
    inner join tokens on positions.token_id = tokens.token_id
    group by positions.wallet_address, tokens.market_id
),

scored as (
    select *
    from observations
    where (wallet_address, market_id) not in (select wallet_address, market_id from broken)
),
"""
#: On to omega. {periods} names the four periods and keeps what resolved in them.
_TO_OMEGA = """
sums as (
    select
        wallet_address,
        category,
        period,
        count(*) as resolved_markets,
        sum(greatest(pnl, 0)) as gains,
        sum(greatest(-pnl, 0)) as losses,
        sum(greatest(pnl, 0) * greatest(pnl, 0)) as gains_squared,
        sum(greatest(-pnl, 0) * greatest(-pnl, 0)) as losses_squared
    from scored
    {periods}
    group by wallet_address, category, period
)

select
    wallet_address,
    category,
    period,
    resolved_markets,
    gains as total_gains,
    losses as total_losses,
    gains / nullif(losses, 0) as omega_ratio,
    gains / nullif(losses, 0) * exp(
        -1.96 * sqrt(gains_squared / nullif(gains * gains, 0) + losses_squared / nullif(losses * losses, 0))
    ) as omega_low,
    gains / nullif(losses, 0) * exp(
        1.96 * sqrt(gains_squared / nullif(gains * gains, 0) + losses_squared / nullif(losses * losses, 0))
    ) as omega_high
from sums
"""
_DUCKDB = {
    "double": "double",
    "any": "any_value",
    "periods": (
        "inner join (select unnest(['all', '365d', '90d', '30d']) as period, unnest([20000, 365, 90, 30]) as days) "
        "as periods on resolved_at > (select as_of from moment) - to_days(days) "
        "and resolved_at <= (select as_of from moment)"
    ),
}
_CLICKHOUSE = {
    "double": "Float64",
    "any": "any",
    "periods": (
        "array join ['all', '365d', '90d', '30d'] as period, [20000, 365, 90, 30] as days "
        "where resolved_at > (select as_of from moment) - toIntervalDay(days) "
        "and resolved_at <= (select as_of from moment)"
    ),
}


def query(dialect: Mapping[str, str]) -> str:
    return f"with {_FROM_FILLS}{_TO_OMEGA}".format(**dialect)


def duckdb_engine(folder: Path, repeats: int) -> list[float]:
    """Seconds of each run of the query on tables of an own DuckDB file; the result is left in `folder`."""
    import duckdb

    with duckdb.connect(str(folder / "hand.duckdb")) as connection:
        for name in INPUTS:
            connection.execute(f"create table {name} as select * from '{folder / name}.parquet'")
        connection.execute("checkpoint")
        create = f"create or replace table result as {query(_DUCKDB)}"
        seconds = _timed(partial(connection.execute, create), repeats)
        connection.execute(f"copy result to '{folder / 'duckdb.parquet'}'")
    return seconds


def clickhouse_engine(folder: Path, repeats: int) -> list[float]:
    """The same on MergeTree tables, the fills in the order that a ClickHouse user would give them for this query.

    Raises:
        ImportError: chdb is not installed.
    """
    from chdb.session import Session

    session = Session(str(folder / "clickhouse"))
    try:
        session.query("create database bench")
        session.query("use bench")
        for name in INPUTS:
            order = {"fills": "(wallet_address, token_id)", "tokens": "token_id"}.get(name, "tuple()")
            columns = {"fills": "* replace(toLowCardinality(side) as side)"}.get(name, "*")
            session.query(
                f"create table {name} engine = MergeTree order by {order} settings allow_nullable_key = 1 "
                f"as select {columns} from file('{folder / name}.parquet')"
            )
        create = f"create or replace table result engine = MergeTree order by tuple() as {query(_CLICKHOUSE)}"
        seconds = _timed(partial(session.query, create), repeats)
        session.query(f"select * from result into outfile '{folder / 'clickhouse.parquet'}' format Parquet")
    finally:
        session.close()
    return seconds


def _timed(run_query: Callable[[], Any], repeats: int) -> list[float]:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run_query()
        seconds.append(time.perf_counter() - start)
    return seconds


ENGINES: dict[str, Callable[[Path, int], list[float]]] = {
    "duckdb": duckdb_engine,
    "clickhouse": clickhouse_engine,
}


def main() -> None:
    task, arguments = sys.argv[1], json.loads(sys.argv[2])
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(ENGINES[task](Path(arguments["folder"]), arguments["repeats"])), flush=True)


if __name__ == "__main__":
    main()
