"""A warehouse of raw rows, as many as one likes, in the shape that the extractor leaves them in.

The tables have the extractor's own schemas. Rows are made by DuckDB from hashes of their number: the same ones every
time, a million in well under a minute. Wallets and markets differ in how busy they are, as real ones do; positions are
opened by some buys and partly closed by sells; most markets have resolved; every fill has its ledger row, some with a
fee; most winners are redeemed, and a few wallets split shares. What the extractor does every half hour is a further
load: fills since the last, a quarter of an hour of older ones again, a walk of every wallet, and every open market once
more.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.measure import ROOT
from extract.polymarket.settings import ACTIVITY, EVENTS, LEADERBOARD, MARKETS, TRADES
from extract.tally import RUN_COLUMNS
from extract.walks import WALK_COLUMNS

#: Moment of the first load; later ones follow every half hour.
NOW = 1_770_000_000
HALF_HOUR = 1800
OVERLAP = 900
DAY = 86_400
WALLETS_IN_LOAD = 200

_DESCRIPTION = (
    "This market will resolve according to the official figures of the source named below, as published on the first "
    "working day after the period ends. Revisions that are published later will not be considered. "
) * 3


@dataclass(frozen=True)
class RawWarehouse:
    """A DuckDB file with `fills` fills of `wallets` wallets in `markets` markets, four of them to an event."""

    file: Path
    fills: int
    wallets: int = 4_000
    markets: int = 20_000

    def first_load(self) -> None:
        """Everything up to `NOW`: whole histories, in packages of some hundred wallets."""
        with self._opened() as connection:
            _create_tables(connection)
            self._make_markets(connection)
            # On average five fills to a position, from the day the market opened to the day it closed.
            connection.execute(
                self._fills(
                    first=0,
                    positions=self.fills // 5 + 1,
                    fills=self.fills,
                    at=f"opened_at + cast((least(closes_at, {NOW} - {HALF_HOUR}) - opened_at) "
                    "* chance(position, 5) as bigint) + turn",
                    market=f"{self.markets} * power(chance(position, 2), 1.5)",
                )
            )
            self._write(connection, number=0, now=NOW, since=None)

    def further_load(self, number: int, fills: int) -> None:
        """What came in the half hour that ends at `NOW` + `number` half hours, and a quarter of an hour before."""
        now = NOW + number * HALF_HOUR
        before = now - HALF_HOUR
        with self._opened() as connection:
            self._make_markets(connection)
            for step in (number - 1, number) if number > 1 else (number,):
                connection.execute(
                    self._fills(
                        first=self.fills * 10 + step * fills,
                        positions=fills // 5 + 1,
                        fills=fills,
                        at=f"{NOW + (step - 1) * HALF_HOUR} "
                        f"+ cast({HALF_HOUR - 20} * chance(position, 5) as bigint) + turn",
                        # Markets that were open: the last of the list, see _make_markets.
                        market=f"{self.markets} * (0.82 + 0.18 * chance(position, 2))",
                    )
                )
            self._write(connection, number=number, now=now, since=before - OVERLAP)

    @contextmanager
    def _opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(str(self.file)) as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(
                "create temp macro chance(number, salt) as (hash(number, salt) % 1000003) / 1000003.0;"
                "create temp macro digits(number, salt) as lpad(cast(hash(number, salt) as varchar), 20, '7');"
                "create temp macro moment(seconds) as to_timestamp(seconds);"
                "create temp table fills (position bigint, turn bigint, number bigint, wallet_number bigint,"
                " market_number bigint, outcome bigint, side varchar, size double, price double, fee double,"
                " traded bigint)"
            )
            yield connection

    def _make_markets(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Markets in order of closing: nine tenths over 300 days back, the rest over 40 days to come."""
        with open(ROOT / "seeds" / "category_rules.csv", encoding="utf-8") as file:
            tags = [row["tag"] for row in csv.DictReader(file) if row["rule_type"] == "tag"]
        listed = ", ".join(f"'{tag}'" for tag in tags)
        connection.execute(
            f"""
            create or replace temp table markets as
            with closing as (
                select
                    range as market_number,
                    '0x' || sha256('market ' || range) as condition_id,
                    case
                        when range < 0.82 * {self.markets}
                            then {NOW} - 300 * {DAY} + cast(299 * {DAY} * (range / (0.82 * {self.markets})) as bigint)
                        else {NOW} + cast(40 * {DAY} * chance(range, 11) as bigint) + 600
                    end as closes_at
                from range({self.markets})
            )
            select
                *,
                least(closes_at, {NOW}) - {DAY} - cast(30 * {DAY} * chance(market_number, 12) as bigint) as opened_at,
                [
                    substr(digits(market_number, 20) || digits(market_number, 21) || digits(market_number, 22)
                    || digits(market_number, 23), 1, 76),
                    substr(digits(market_number, 30) || digits(market_number, 31) || digits(market_number, 32)
                    || digits(market_number, 33), 1, 76)
                ] as tokens,
                cast(chance(market_number, 13) < 0.5 as bigint) as winner,
                500000 + market_number as id,
                70000 + market_number // 4 as event_id,
                'will-the-figure-of-series-' || market_number || '-be-above-its-last-value' as slug,
                'figures-of-series-' || (market_number // 4) as event_slug,
                [{listed}][cast(hash(market_number // 4, 14) % {len(tags)} as bigint) + 1] as tag,
                [{listed}][cast(hash(market_number // 4, 15) % {len(tags)} as bigint) + 1] as other_tag
            from closing
            """
        )

    def _fills(self, *, first: int, positions: int, fills: int, at: str, market: str) -> str:
        """Inserts `fills` fills of about `positions` positions, numbered from `first`."""
        return f"""
            insert into fills
            with positions as (
                select
                    {first} + range as position,
                    cast(1 + 9 * chance({first} + range, 3) as bigint) as turns
                from range({positions * 2})
            ),
            drawn as (
                select
                    position,
                    turns,
                    cast(floor({self.wallets} * power(chance(position, 1), 2.5)) as bigint) as wallet_number,
                    cast(floor({market}) as bigint) as market_number,
                    cast(chance(position, 4) < 0.6 as bigint) as outcome,
                    round(exp(1 + 5 * chance(position, 6)), 2) as base_size,
                    0.02 + 0.96 * chance(position, 7) as base_price,
                    chance(position, 8) < 0.4 as sells
                from positions
            ),
            turned as (select *, unnest(range(turns)) as turn from drawn),
            counted as (select *, row_number() over (order by position, turn) as place from turned)
            select
                position,
                turn,
                position * 16 + turn as number,
                wallet_number,
                market_number,
                outcome,
                case when sells and turn > 0 and turn + 1 = turns then 'SELL' else 'BUY' end as side,
                -- A sale is smaller than the position's first purchase, so that every ledger balances.
                case when sells and turn > 0 and turn + 1 = turns then round(base_size / 2, 2) else base_size + turn end
                    as size,
                -- Half of the real prices are quotients of two amounts, and show it.
                case
                    when chance(position * 16 + turn, 9) < 0.5 then round(base_price, 2)
                    else least(greatest(base_price + 0.01 * chance(position * 16 + turn, 10), 0.001), 0.999)
                end as price,
                case when chance(position * 16 + turn, 16) < 0.2 then round(0.01 * base_size, 4) else 0 end as fee,
                {at} as traded
            from counted
            inner join markets using (market_number)
            where place <= {fills}
        """

    def _write(self, connection: duckdb.DuckDBPyConnection, *, number: int, now: int, since: int | None) -> None:
        """Appends the raw rows of one run; `since` None reads whole histories."""
        load = f"'{_load_prefix(number)}' || lpad(cast(wallet_number // {WALLETS_IN_LOAD} as varchar), 4, '0')"
        # A row's stamps, and the key columns that trades and ledger rows share.
        stamps = f"""
            moment({now}) + to_microseconds(wallet_number) as fetched_at,
            md5('{number} ' || resource || wallet_number) as walk_id,
            row_number() over (partition by wallet_number order by traded desc, number) - 1 as walk_position,
            {load} as _dlt_load_id
        """
        keys = """
            wallet as proxy_wallet, condition_id, cast(size as varchar) as size,
            cast(traded as varchar) as "timestamp"
        """
        description = """
            'title', 'Will the figure of series ' || market_number || ' be above its last value?', 'slug', slug,
            'icon', 'https://images.invalid/' || slug || '-m1XZuVxmKEs_.jpg', 'event_slug', event_slug,
            'outcome', label, 'outcome_index', outcome, 'name', 'jaboobelite', 'pseudonym', 'Scary-Barrel',
            'bio', '', 'profile_image', '', 'profile_image_optimized', '', 'transaction_hash', transaction_hash
        """
        fill = """
            'proxy_wallet', wallet, 'side', side, 'token_id', token_id, 'condition_id', condition_id, 'size', size,
            'price', price, 'timestamp', traded
        """
        connection.execute(
            f"""
            create or replace temp table to_write as
            select
                *,
                '0x' || sha256('transaction ' || fills.number) as transaction_hash,
                {_wallet("wallet_number")} as wallet,
                tokens[outcome + 1] as token_id,
                case outcome when 0 then 'Yes' else 'No' end as label,
                round(size * price + case side when 'BUY' then fee else -fee end, 6) as usdc_size
            from fills inner join markets using (market_number)
            where traded < {now} and traded >= {since or 0}
            """
        )
        connection.execute(
            f"""
            insert into raw_polymarket.trades by name
            select
                transaction_hash, token_id, side, cast(price as varchar) as price, {keys},
                json_object({fill}, {description}) as payload, {stamps}
            from to_write, (select 'trades' as resource)
            """
        )
        connection.execute(
            f"""
            insert into raw_polymarket.activity by name
            select
                transaction_hash, token_id, 'TRADE' as type, side, cast(price as varchar) as price,
                cast(usdc_size as varchar) as usdc_size, {keys},
                json_object({fill}, 'type', 'TRADE', 'usdc_size', usdc_size, {description}) as payload, {stamps}
            from to_write, (select 'activity' as resource)
            """
        )
        # Other ledger rows stand behind the trades: a few wallets split, and most who held the winner redeem all of it
        # within two days after the market closed.
        redeemed_at = f"closes_at + cast({2 * DAY} * chance(market_number, wallet_number) as bigint)"
        connection.execute(
            f"""
            insert into raw_polymarket.activity by name
            with splits as (
                select 'SPLIT' as kind, wallet_number, wallet, condition_id, size, traded, number
                from to_write
                where wallet_number % 50 = 7 and chance(position, 18) < 0.1 and chance(number, 17) < 0.05
            ),
            held as (
                select
                    proxy_wallet as wallet,
                    token_id,
                    sum(cast(size as decimal(18, 6)) * case side when 'BUY' then 1 else -1 end) as size
                from raw_polymarket.trades
                group by proxy_wallet, token_id
            ),
            wallets as (select range as wallet_number, {_wallet("range")} as wallet from range({self.wallets})),
            redemptions as (
                select
                    'REDEEM' as kind, wallet_number, wallet, condition_id, held.size, {redeemed_at} as traded,
                    market_number as number
                from held
                inner join wallets using (wallet)
                inner join markets on held.token_id = markets.tokens[markets.winner + 1]
                where held.size > 0 and {redeemed_at} < {now} and {redeemed_at} >= {since or 0}
                and chance(wallet_number, market_number) < 0.7
            ),
            others as (select * from splits union all select * from redemptions)
            select
                '0x' || md5(kind || wallet_number || ' ' || number) || md5('hash ' || number) as transaction_hash,
                '' as token_id, kind as type, '' as side, '0' as price, cast(size as varchar) as usdc_size, {keys},
                json_object('proxy_wallet', wallet, 'type', kind, 'condition_id', condition_id) as payload,
                {stamps.replace(" - 1 as", " + 9999999 as")}
            from others, (select 'activity' as resource)
            """
        )
        bound = "null" if since is None else f"moment({since})"
        connection.execute(
            f"""
            insert into raw_polymarket.walks by name
            select
                md5('{number} ' || resource || wallet_number) as walk_id, 'run {number}' as run_id, resource,
                {_wallet("wallet_number")} as scope, {bound} as bound_from, 'completed' as status, 1 as pages,
                coalesce(read.rows, 0) as row_count, 1 as requests, moment(read.newest) as newest_item_at,
                moment(read.oldest) as oldest_item_at, moment({now}) as venue_time, moment({now}) as started_at,
                moment({now}) as ended_at, 100 as duration_ms, {load} as _dlt_load_id
            from (select range as wallet_number from range({self.wallets}))
            cross join (select unnest(['trades', 'activity']) as resource)
            left join (
                select wallet_number, count(*) as rows, max(traded) as newest, min(traded) as oldest
                from to_write group by wallet_number
            ) as read using (wallet_number)
            """
        )
        self._write_markets(connection, number=number, now=now, closed_since=0 if since is None else now - HALF_HOUR)
        connection.execute(
            f"""
            insert into raw_polymarket.runs by name
            select
                'run {number}' as run_id, 'pipeline run' as command, 'completed' as status,
                {self.wallets} as wallets, 0 as wallets_failed, {2 * self.wallets} as walks, 0 as walks_failed,
                {2 * self.wallets} as requests, (select count(*) from to_write) as trades_fetched,
                (select count(*) from to_write) as activity_fetched, 0 as markets_fetched, 0 as events_fetched,
                100000 as duration_ms, moment({now - 100}) as started_at, moment({now}) as ended_at,
                '{_load_prefix(number)}run' as _dlt_load_id
            """
        )
        connection.execute(
            f"""
            insert into raw_polymarket._dlt_loads
            select distinct _dlt_load_id, 'polymarket', 0, moment({now}), ''
            from (
                select _dlt_load_id from raw_polymarket.walks
                union all
                select _dlt_load_id from raw_polymarket.runs
            )
            where starts_with(_dlt_load_id, '{_load_prefix(number)}')
            """
        )

    def _write_markets(
        self, connection: duckdb.DuckDBPyConnection, *, number: int, now: int, closed_since: int
    ) -> None:
        """Markets that were open at `closed_since`, and their events, as the venue shows them at `now`."""
        load = f"'{_load_prefix(number)}markets' as _dlt_load_id"
        tags = """
            json_array(
                json_object('id', '1', 'label', tag, 'slug', tag),
                json_object('id', '2', 'label', other_tag, 'slug', other_tag),
                json_object('id', '3', 'label', 'All', 'slug', 'all')
            )
        """
        connection.execute(
            f"""
            create or replace temp table shown as
            select
                *,
                closes_at <= {now} as is_closed,
                strftime(make_timestamp(opened_at * 1000000), '%Y-%m-%dT%H:%M:%SZ') as start_date,
                strftime(make_timestamp(closes_at * 1000000), '%Y-%m-%dT%H:%M:%SZ') as end_date
            from markets
            where closes_at > {closed_since}
            """
        )
        connection.execute(
            f"""
            insert into raw_polymarket.markets by name
            select
                cast(id as varchar) as id, condition_id, slug, moment({now}) as fetched_at,
                md5('{number} markets ' || market_number // 100) as walk_id,
                market_number % 100 as walk_position, {load},
                json_object(
                    'id', cast(id as varchar),
                    'question', 'Will the figure of series ' || market_number || ' be above its last value?',
                    'conditionId', condition_id, 'slug', slug, 'startDate', start_date, 'endDate', end_date,
                    'category', null, 'description', '{_DESCRIPTION}',
                    'outcomes', '["Yes", "No"]',
                    'outcomePrices', case
                        when not is_closed then '["0.41", "0.59"]'
                        when winner = 0 then '["1", "0"]'
                        else '["0", "1"]'
                    end,
                    'clobTokenIds', '["' || tokens[1] || '", "' || tokens[2] || '"]',
                    'active', true, 'closed', is_closed, 'archived', false, 'acceptingOrders', not is_closed,
                    'negRisk', false, 'volumeNum', round(10000 * chance(market_number, 19), 2),
                    'umaResolutionStatus', case when is_closed then 'resolved' end,
                    'closedTime', case when is_closed then end_date end,
                    'events', json_array(
                        json_object('id', cast(event_id as varchar), 'slug', event_slug, 'ticker', event_slug)
                    ),
                    'tags', {tags}
                ) as payload
            from shown
            """
        )
        connection.execute(
            f"""
            insert into raw_polymarket.events by name
            select
                cast(event_id as varchar) as id, any_value(event_slug) as slug, moment({now}) as fetched_at,
                md5('{number} events ' || event_id // 100) as walk_id, event_id % 100 as walk_position, {load},
                json_object(
                    'id', cast(event_id as varchar), 'slug', any_value(event_slug),
                    'title', 'Figures of series ' || event_id, 'description', '{_DESCRIPTION}',
                    'active', true, 'closed', bool_and(is_closed), 'startDate', min(start_date),
                    'endDate', max(end_date), 'markets', list(json_object('id', cast(id as varchar))),
                    'tags', any_value({tags})
                ) as payload
            from shown
            group by event_id
            """
        )
        for resource in ("markets", "events"):
            connection.execute(
                f"""
                insert into raw_polymarket.walks by name
                select
                    walk_id, 'run {number}' as run_id, '{resource}' as resource, 'all' as scope,
                    'completed' as status, 1 as pages, count(*) as row_count, 1 as requests,
                    moment({now}) as venue_time, moment({now}) as started_at, moment({now}) as ended_at,
                    100 as duration_ms, {load}
                from raw_polymarket.{resource}
                where _dlt_load_id = '{_load_prefix(number)}markets'
                group by walk_id
                """
            )


def _load_prefix(number: int) -> str:
    """What the ids of all load packages of a run begin with."""
    return f"{NOW + number}."


def _wallet(number: str) -> str:
    """SQL of a wallet's address."""
    return f"'0x' || substr(sha256('wallet ' || {number}), 1, 40)"


def _create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema raw_polymarket")
    for table in (TRADES, ACTIVITY, MARKETS, EVENTS, LEADERBOARD):
        _create_table(connection, table.name, table.schema)
    records: Mapping[str, Mapping[str, pa.DataType]] = {"walks": WALK_COLUMNS, "runs": RUN_COLUMNS}
    for name, columns in records.items():
        _create_table(connection, name, pa.schema(list(columns.items())))
    connection.execute(
        "create table raw_polymarket._dlt_loads (load_id varchar, schema_name varchar, status bigint, "
        "inserted_at timestamptz, schema_version_hash varchar)"
    )


def _create_table(connection: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema) -> None:
    connection.register("shape", schema.empty_table())
    connection.execute(f"create table raw_polymarket.{name} as select *, '' as _dlt_load_id from shape")
    connection.unregister("shape")
