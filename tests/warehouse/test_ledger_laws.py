"""Laws that hold on any ledger, on the public tables of many random ones.

Hypothesis makes the ledgers, one to a wallet and in markets of its own; all of them are told by one replica, read by
the extractor and built at once. Each wallet has two twins, whose raw rows are its own under another address: one has
them in another order, the other has redeemed nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.replica.full_truth import FullTruth, full_truth
from tests.replica.server import serve
from tests.replica.truth import truth
from tests.replica.units import Row
from tests.replica.world import World
from tests.replica_tests.ledgers import Ledger, ledgers
from tests.replica_tests.story import BOB, NOW, Story
from tests.warehouse.compare import assert_close, assert_same_rows
from tests.warehouse.conftest import EXACT, METRICS, SOAK, Warehouse

LEDGERS = 1500 if SOAK else 150
SHUFFLED, UNREDEEMED = "b", "c"
SUMS = "resolved_markets wins losses total_gains total_losses total_pnl"
#: Figures of a wallet alone. Twins stand on the board as well, so that ranks and q-values are not those of the truth.
OWN = [name for name in METRICS.split() if name not in ("q_value", "is_significant")]


@dataclass(frozen=True)
class Universe:
    ledgers: dict[str, Ledger]
    world: World
    warehouse: Warehouse

    def rows(self, table: str, twins: str = "") -> list[Row]:
        """Rows of the wallets themselves, or of their twins, under the wallets' addresses."""
        rows = self.warehouse.rows(table)
        if not twins:
            return [row for row in rows if row["wallet_address"] in self.ledgers]
        names = {twin(wallet, twins): wallet for wallet in self.ledgers}
        return [
            row | {"wallet_address": names[row["wallet_address"]]} for row in rows if row["wallet_address"] in names
        ]

    def told(self, wallets: Iterable[str]) -> str:
        """The ledgers behind a failure."""
        return "\n".join(str(self.ledgers[wallet]) for wallet in sorted(set(wallets))[:2])


def some_ledgers(count: int) -> list[Ledger]:
    made: list[Ledger] = []

    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        derandomize=not SOAK,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(ledgers(redemptions=3))
    def make(ledger: Ledger) -> None:
        made.append(ledger)

    make()
    return made


def address(number: int) -> str:
    return f"0xa{number:039x}"


def twin(wallet: str, kind: str) -> str:
    return f"0x{kind}{wallet[3:]}"


@pytest.fixture(scope="module")
def universe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Universe]:
    told = {address(number): ledger for number, ledger in enumerate(some_ledgers(LEDGERS))}
    story = Story()
    for number, (wallet, ledger) in enumerate(told.items()):
        for market in ledger.tell(story, wallet, event=f"9{number:05d}"):
            # A market that anybody traded is looked up at once, and not after a build that finds it missing.
            story.fill(BOB, "BUY", market, 1, 0.5)
    story.entries.sort(key=lambda entry: (entry.timestamp, entry.sequence_id))
    world = story.world([*told, BOB])
    with serve(world) as replica:
        warehouse = Warehouse.in_folder(tmp_path_factory.mktemp("laws"), replica)
        warehouse.sync(wallets=world.wallets)
        add_twins(warehouse.project.warehouse)
        warehouse.build("--exclude-resource-type", "unit_test")
        yield Universe(told, world, warehouse)


def add_twins(warehouse: Path) -> None:
    """Copies of all wallets' raw rows under twins' addresses."""
    with duckdb.connect(str(warehouse)) as connection:
        for kind, kept in ((SHUFFLED, "true"), (UNREDEEMED, "type != 'REDEEM'")):
            renamed = f"'0x{kind}' || substr"
            connection.execute(
                f"""
                insert into raw_polymarket.walks
                select * replace ({renamed}(scope, 4) as scope, walk_id || '{kind}' as walk_id)
                from raw_polymarket.walks where resource in ('trades', 'activity') and starts_with(scope, '0xa');
                """
            )
            for table in ("trades", "activity"):
                # The order in which a walk found its rows, and the order in which they lie in the table.
                connection.execute(
                    f"""
                    insert into raw_polymarket.{table}
                    select * replace (
                        {renamed}(proxy_wallet, 4) as proxy_wallet,
                        replace(payload, proxy_wallet, {renamed}(proxy_wallet, 4)) as payload,
                        walk_id || '{kind}' as walk_id,
                        row_number() over (partition by walk_id order by hash(walk_position)) as walk_position
                    )
                    from raw_polymarket.{table}
                    where starts_with(proxy_wallet, '0xa') {f"and {kept}" if table == "activity" else ""}
                    order by hash(walk_position, transaction_hash)
                    """
                )


@pytest.fixture(scope="module")
def expected(universe: Universe) -> FullTruth:
    return full_truth(universe.world, NOW)


def test_every_ledger_is_told_as_the_truth_has_it(universe: Universe, expected: FullTruth) -> None:
    for table in ("wallet_positions", "wallet_market_pnl"):
        wanted = [row for row in getattr(expected, table) if row["wallet_address"] != BOB]
        assert_same_rows(universe.rows(table), wanted, EXACT[table].split())
    columns = "wallet_address pnl_date pnl_usd income_usd cumulative_pnl_usd drawdown_usd".split()
    curve = [row for row in expected.wallet_daily_pnl if row["wallet_address"] != BOB]
    assert_same_rows(universe.rows("wallet_daily_pnl"), curve, columns)
    sums = truth(universe.world, NOW)
    for table, key in (
        ("wallet_scores", "wallet_address period"),
        ("wallet_scores_by_category", "wallet_address category period"),
    ):
        columns = f"{key} {SUMS} omega_status".split()
        wanted = [row for row in getattr(sums, table) if row["wallet_address"] != BOB]
        assert_same_rows(universe.rows(table), wanted, columns)
        figures = [row for row in getattr(expected, table) if row["wallet_address"] != BOB]
        assert_close(universe.rows(table), figures, key.split(), OWN)


def test_the_ledgers_hold_what_they_are_to_hold(universe: Universe) -> None:
    """A law is worth what it was tried on."""
    positions = universe.rows("wallet_positions")
    for column in ("split", "merged", "redeemed", "converted_in", "converted_out", "transferred"):
        assert sum(row[f"shares_{column}"] > 0 for row in positions) > LEDGERS / 20, column
    assert {row["status"] for row in positions} == {"open", "closed", "resolved", "voided"}
    reasons = {row["not_scored_reason"] for row in universe.rows("wallet_market_pnl")}
    assert reasons == {None, "ledger_break", "not_resolved", "voided"}
    named = [
        deed.is_named for ledger in universe.ledgers.values() for deed in ledger.deeds if deed.kind == "CONVERSION"
    ]
    assert {True, False} == set(named)


def test_every_share_is_accounted_for(universe: Universe) -> None:
    for row in universe.rows("wallet_positions"):
        came = row["shares_bought"] + row["shares_split"] + row["shares_converted_in"] + row["shares_transferred"]
        left = row["shares_sold"] + row["shares_merged"] + row["shares_redeemed"] + row["shares_converted_out"]
        assert came == left + row["shares_held"], universe.told([row["wallet_address"]])
        assert row["shares_held"] >= 0 <= row["shares_transferred"]
        assert not (row["is_conserved"] and row["shares_transferred"])


def test_markets_add_up_to_the_wallet(universe: Universe) -> None:
    """The curve ends at all markets and all income together."""
    markets: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in universe.rows("wallet_market_pnl"):
        resolved = row["resolved_pnl"]
        markets[row["wallet_address"]] += row["realized_cash_pnl"] if resolved is None else resolved
    curve: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in universe.rows("wallet_daily_pnl"):
        curve[row["wallet_address"]] += row["pnl_usd"] - row["income_usd"]
    wrong = [wallet for wallet in universe.ledgers if markets[wallet] != curve[wallet]]
    assert not wrong, universe.told(wrong)


def test_what_was_converted_is_worth_its_cash(universe: Universe) -> None:
    """What conversions take from some markets and give to others differs by the dollars that they paid."""
    values: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in universe.rows("wallet_positions"):
        values[row["wallet_address"]] += row["converted_out_usd"] - row["converted_in_usd"]
    cash: defaultdict[str, Decimal] = defaultdict(Decimal)
    clear = universe.warehouse.project.query(
        "select distinct conversion_id from polyomega_intermediate.int_conversion_legs where is_clear"
    )
    for wallet, usd in universe.warehouse.project.query(
        "select wallet_address, usd_value from polyomega_intermediate.int_ledger_entries "
        "where entry_id in (select conversion_id from polyomega_intermediate.int_conversion_legs where is_clear)"
    ):
        cash[wallet] += usd
    assert len(clear) > LEDGERS / 5
    wrong = [wallet for wallet in universe.ledgers if values[wallet] != cash[wallet]]
    assert not wrong, universe.told(wrong)


def test_redeemed_or_not_is_the_same_profit(universe: Universe) -> None:
    redeemed, kept = (
        {
            (row["wallet_address"], row["market_id"]): row["resolved_pnl"]
            for row in universe.rows("wallet_market_pnl", kind)
        }
        for kind in ("", UNREDEEMED)
    )
    wrong = [wallet for wallet, market in kept if redeemed[wallet, market] != kept[wallet, market]]
    assert not wrong, universe.told(wrong)
    assert any(pnl for pnl in kept.values())
    only_redeemed = {pnl for key, pnl in redeemed.items() if key not in kept}
    assert only_redeemed <= {None, Decimal(0)}, "what was redeemed out of nothing is no profit"


def test_the_order_of_rows_does_not_matter(universe: Universe) -> None:
    for table in ("wallet_positions", "wallet_market_pnl", "wallet_daily_pnl", "wallet_scores_by_category"):
        own, shuffled = ({repr(comparable(row)) for row in universe.rows(table, kind)} for kind in ("", SHUFFLED))
        assert own == shuffled, table


def comparable(row: Row) -> Row:
    """Without what equal scores are ordered by in the end, the address."""
    return row | {"rank": None}


def test_categories_add_up_to_the_whole(universe: Universe) -> None:
    names = SUMS.split()
    parts: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * len(names))
    for row in universe.rows("wallet_scores_by_category"):
        key = row["wallet_address"], row["period"]
        parts[key] = [part + row[name] for part, name in zip(parts[key], names, strict=True)]
    for row in universe.rows("wallet_scores"):
        whole = [row[name] for name in names]
        assert parts[row["wallet_address"], row["period"]] == whole, universe.told([row["wallet_address"]])
    assert len({row["category"] for row in universe.rows("wallet_scores_by_category")}) == 3
