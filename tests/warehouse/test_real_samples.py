"""Real responses, served as recorded, against sums worked out here in plain Python."""

from __future__ import annotations

import json
import re
import shutil
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.replica.server import serve
from tests.warehouse.conftest import WITHOUT_TESTS, Warehouse
from tools import tag_coverage

SAMPLES = ROOT.parent / "shared" / "samples"
POLYMARKET = SAMPLES / "polymarket"
WALLET = POLYMARKET / "wallet"
DOME = SAMPLES / "dome"
CENT = Decimal("0.01")


def real(folder: Path) -> Path:
    if not folder.is_dir():
        pytest.skip("real samples are not part of the project; they lie beside the checkout where there are any")
    return folder


def pnl_by_market(folder: Path) -> dict[str, Decimal]:
    """Sells - buys + shares left x payout, from the recorded files alone; every market of them is resolved."""
    trades = json.loads((folder / "trades.json").read_text(), parse_float=Decimal)
    payouts = {
        token: Decimal(price)
        for market in json.loads((folder / "markets.json").read_text())
        for token, price in zip(json.loads(market["clobTokenIds"]), json.loads(market["outcomePrices"]), strict=True)
    }
    pnl: defaultdict[str, Decimal] = defaultdict(Decimal)
    for trade in trades:
        sign = 1 if trade["side"] == "BUY" else -1
        shares = Decimal(trade["size"])
        pnl[trade["condition_id"]] += sign * shares * (payouts[trade["token_id"]] - Decimal(trade["price"]))
    return dict(pnl)


#: The first API's names of what the second calls otherwise.
RENAMED = {
    "proxyWallet": "proxy_wallet", "conditionId": "condition_id", "usdcSize": "usdc_size", "asset": "token_id",
    "transactionHash": "transaction_hash", "outcomeIndex": "outcome_index", "eventSlug": "event_slug",
}  # fmt: skip


def real_ledger() -> list[dict[str, Any]]:
    """All recorded rows of ledgers, of both generations, as the second API names their fields."""
    names = ("data_api_v1/activity.json", "data_api_v1/activity_all.json", "data_api_v1/activity_2026-05.json",
             "data_api_v2/activity.json")  # fmt: skip
    rows = {}
    for name in names:
        answer = json.loads((real(POLYMARKET) / name).read_text())
        for row in answer["data"] if isinstance(answer, dict) else answer:
            renamed = {RENAMED.get(key, key): value for key, value in row.items()}
            rows[json.dumps([renamed[key] for key in sorted(RENAMED.values())] + [renamed["type"]])] = renamed
    return list(rows.values())


#: What the samples do not tell enough of: shares left otherwise than by redemption, and no fill of it was recorded.
NOT_COVERED = {"highest-temperature-in-hong-kong-on-august-11-2026-35c"}


def recorded(name: str) -> list[dict[str, Any]]:
    answer = json.loads((real(POLYMARKET) / name).read_text(), parse_float=Decimal, parse_int=Decimal)
    rows: list[dict[str, Any]] = answer["data"] if isinstance(answer, dict) else answer
    return rows


def real_positions() -> list[dict[str, Any]]:
    """The recorded positions that are held, as the second API names their fields, as ones of the wallet with scores:
    whoever has none is not asked for."""
    renamed = RENAMED | {
        "size": "current_size", "avgPrice": "avg_price", "curPrice": "current_price", "totalBought": "total_size",
        "initialValue": "entry_cost_usdc", "currentValue": "current_value", "realizedPnl": "realized_pnl",
        "cashPnl": "total_pnl",
    }  # fmt: skip
    scored = recorded("wallet/trades.json")[0]["proxy_wallet"]
    return [
        {renamed.get(key, key): str(value) if key == "asset" else value for key, value in row.items()}
        | {"status": "OPEN", "proxy_wallet": scored}
        for name in ("data_api_v1/positions.json", "data_api_v1/positions_2026-05.json")
        for row in recorded(name)
    ]


@dataclass(frozen=True)
class Left:
    """A recorded position that was left, under a wallet of its own, and what the samples say led to it: shares bought
    at an average price, and redeemed."""

    number: int
    slug: str
    shares: Decimal
    cost: Decimal
    price: Decimal
    realized: Decimal
    token_id: str
    condition_id: str

    @property
    def wallet(self) -> str:
        return f"0x{self.number:040x}"

    @property
    def position(self) -> dict[str, Any]:
        return self._row | {
            "status": "CLOSED",
            "token_id": self.token_id,
            "current_size": 0,
            "total_size": self.shares,
            "current_price": self.price,
            "realized_pnl": self.realized,
            "total_pnl": self.realized,
        }

    @property
    def fill(self) -> dict[str, Any]:
        return self._row | {
            "side": "BUY",
            "token_id": self.token_id,
            "size": self.shares,
            "price": self.cost / self.shares,
            "timestamp": 1_764_000_000,
            "transaction_hash": f"0x{self.number:064x}",
        }

    @property
    def ledger(self) -> list[dict[str, Any]]:
        redeemed = {
            "type": "REDEEM",
            "token_id": "",
            "side": "",
            "price": 0,
            "timestamp": 1_764_090_000,
            "usdc_size": self.shares * self.price,
            "transaction_hash": f"0x{self.number + 100:064x}",
        }
        return [self.fill | {"type": "TRADE", "usdc_size": self.cost}, self.fill | redeemed]

    @property
    def market(self) -> dict[str, Any]:
        """One of the real wallet's, with this position's names and payout."""
        market: dict[str, Any] = json.loads((WALLET / "markets.json").read_text())[0]
        return market | {
            "id": str(self.number),
            "slug": self.slug,
            "conditionId": self.condition_id,
            "clobTokenIds": json.dumps([self.token_id, str(self.number)]),
            "outcomePrices": json.dumps([str(self.price), str(1 - self.price)]),
        }

    @property
    def _row(self) -> dict[str, Any]:
        return {"proxy_wallet": self.wallet, "condition_id": self.condition_id}


def positions_left() -> list[Left]:
    """Of both generations. The newer API cuts the average price to four decimals; its percentage tells the cost."""
    told = [
        (row, row["totalBought"], row["totalBought"] * row["avgPrice"], row["curPrice"], row["realizedPnl"])
        for row in recorded("data_api_v1/closed_positions_2026-05.json")
    ] + [
        (
            row,
            row["total_size"],
            row["realized_pnl"] / row["percent_realized_pnl"] * 100,
            row["current_price"],
            row["realized_pnl"],
        )
        for row in recorded("data_api_v2/positions_closed.json")
    ]
    return [
        Left(
            number,
            row["slug"],
            *amounts,
            str(row.get("asset") or row.get("token_id")),
            row.get("conditionId") or row["condition_id"],
        )
        for number, (row, *amounts) in enumerate(told, 1)
    ]


@pytest.fixture(scope="module")
def real_ledgers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a real wallet's trades and markets, and the real ledgers of others, whose fills are trades, too."""
    folder = tmp_path_factory.mktemp("recorded")
    shutil.copy(real(WALLET) / "markets.json", folder)
    trades = json.loads((WALLET / "trades.json").read_text())
    for row in real_ledger():
        if row["type"] == "TRADE":
            trades.append({key: value for key, value in row.items() if key not in ("type", "usdc_size")})
    (folder / "trades.json").write_text(json.dumps(trades))
    (folder / "activity.json").write_text(json.dumps({"data": real_ledger(), "pagination": {}}))
    positions = [*real_positions(), *(left.position for left in positions_left())]
    (folder / "positions.json").write_text(json.dumps({"data": positions, "pagination": {}}, default=str))
    for number, left in enumerate(positions_left()):
        told = {"fill": [left.fill], "ledger": left.ledger, "market": [left.market]}
        for name, rows in told.items():
            (folder / f"left_{number}_{name}.json").write_text(json.dumps(rows, default=str))
    return folder


def assert_ledgers_are_whole(warehouse: Warehouse) -> None:
    """Every row counts once, with the cash that really moved to the cent: fees, redemptions, rewards and rebates."""
    recorded_rows = real_ledger()
    trades: defaultdict[str, Decimal] = defaultdict(Decimal)
    others: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in recorded_rows:
        if row["type"] == "TRADE":
            trades[row["proxy_wallet"]] += Decimal(str(row["usdc_size"])) * (1 if row["side"] == "BUY" else -1)
        else:
            others[row["proxy_wallet"], row["type"]] += Decimal(str(row["usdc_size"]))
    assert {kind for _, kind in others} == {"REDEEM", "REWARD", "MAKER_REBATE", "TAKER_REBATE"}
    found = [row for row in warehouse.rows("trades") if row["wallet_address"] in trades]
    assert len(found) == sum(row["type"] == "TRADE" for row in recorded_rows)
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in found:
        paid[row["wallet_address"]] += row["usd_value"] * (1 if row["side"] == "BUY" else -1) + row["fee_usd"]
    assert {wallet: usd.quantize(CENT) for wallet, usd in paid.items()} == {
        wallet: usd.quantize(CENT) for wallet, usd in trades.items()
    }
    assert sum(row["fee_usd"] > 0 for row in found) > 10
    wallets = ", ".join(f"'{wallet}'" for wallet in trades)
    entries = warehouse.project.query(
        "select wallet_address, entry_type, sum(usd_value) from polyomega_intermediate.int_ledger_entries "
        f"where wallet_address in ({wallets}) group by all"
    )
    assert {(wallet, kind): usd for wallet, kind, usd in entries} == others
    income = sum(usd for (_, kind), usd in others.items() if kind != "REDEEM")
    assert sum(row["income_usd"] for row in warehouse.rows("wallet_daily_pnl")) == income


def test_a_real_wallet_scores_as_plain_arithmetic_says(real_ledgers: Path, tmp_path: Path) -> None:
    pnl = pnl_by_market(WALLET)
    wallet = json.loads((WALLET / "trades.json").read_text())[0]["proxy_wallet"]
    with serve(real_ledgers) as replica:
        warehouse = Warehouse.in_folder(tmp_path, replica)
        warehouse.sync()
        warehouse.build()
        first = snapshot(warehouse)
        assert sum(row["wallet_address"] == wallet for row in warehouse.rows("trades")) == 1463
        left = {position.condition_id for position in positions_left()}
        assert {row["condition_id"] for row in warehouse.rows("markets")} - left == set(pnl)
        assert len(pnl) == 25
        assert_ledgers_are_whole(warehouse)
        found = {
            row["market_id"]: row["resolved_pnl"]
            for row in warehouse.rows("wallet_market_pnl")
            if row["wallet_address"] == wallet
        }
        assert {market: value.quantize(CENT) for market, value in found.items()} == {
            market: value.quantize(CENT) for market, value in pnl.items()
        }
        (score,) = (
            row for row in warehouse.rows("wallet_scores") if row["period"] == "all" and row["wallet_address"] == wallet
        )
        gains = sum(value for value in pnl.values() if value > 0)
        losses = -sum(value for value in pnl.values() if value < 0)
        assert score["resolved_markets"] == 25
        assert score["total_gains"].quantize(CENT) == gains.quantize(CENT)
        assert score["total_losses"].quantize(CENT) == losses.quantize(CENT)
        assert score["omega_ratio"] == pytest.approx(float(gains / losses), rel=1e-6)
        assert score["omega_status"] == "ok"
        assert_what_was_left_makes_what_the_venue_says(warehouse)
        # Positions are read once it is known whose they are.
        warehouse.sync("--all")
        warehouse.build(*WITHOUT_TESTS)
        assert snapshot(warehouse) == first
        assert_positions_reconcile_to_the_cent(warehouse)


def assert_what_was_left_makes_what_the_venue_says(warehouse: Warehouse) -> None:
    """Bought and redeemed, fees left out."""
    pnl = {row["wallet_address"]: row for row in warehouse.rows("wallet_market_pnl")}
    assert len(positions_left()) == 7
    wrong = {
        left.slug
        for left in positions_left()
        if {pnl[left.wallet][basis].quantize(CENT) for basis in ("resolved_pnl", "realized_cash_pnl")}
        != {left.realized.quantize(CENT)}
    }
    assert wrong == NOT_COVERED


def assert_positions_reconcile_to_the_cent(warehouse: Warehouse) -> None:
    """With the venue's own rows of both generations, as they were loaded."""
    loaded = warehouse.project.query("select lower(proxy_wallet), token_id from raw_polymarket.positions")
    assert sorted(loaded) == sorted(
        [(row["proxy_wallet"], row["token_id"]) for row in real_positions()]
        + [(left.wallet, left.token_id) for left in positions_left()]
    )
    reconciled = {
        row["wallet_address"]: row for row in warehouse.rows("pnl_reconciliation") if row["measure"] == "positions"
    }
    wrong = {
        left.slug
        for left in positions_left()
        if not reconciled[left.wallet]["is_comparable"]
        or abs(reconciled[left.wallet]["own_pnl"] - reconciled[left.wallet]["venue_pnl"]) >= CENT
    }
    assert wrong == NOT_COVERED


def test_a_real_dome_page_loads_as_a_hundred_fills_however_often_it_is_read(tmp_path: Path) -> None:
    orders = json.loads((real(DOME) / "orders_page_2025-11.json").read_text(), parse_float=Decimal)["orders"]
    wallets = sorted({order["user"] for order in orders})
    with serve(DOME) as replica:
        warehouse = Warehouse.in_folder(tmp_path, replica)
        for _ in range(2):
            warehouse.sync("dome", wallets=wallets)
            warehouse.build("--select", "+trades", *WITHOUT_TESTS)
            trades = warehouse.rows("trades")
            assert len(trades) == len(orders) == 100
            assert sum(trade["shares"] for trade in trades) == sum(
                Decimal(order["shares"]) / 1_000_000 for order in orders
            )


def test_every_real_tag_has_a_rule(capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the site's navigation, too; one that says nothing of the subject is listed as such."""
    assert tag_coverage.main([real(POLYMARKET)]) == 0
    shown = dict(re.findall(r"^(\S.*?) +(\d+)", capsys.readouterr().out, re.MULTILINE))
    assert int(shown["tags"]) == 200
    assert int(shown["Sports"]) > 100
    assert int(shown[tag_coverage.IGNORED]) < 10


def test_a_tag_without_a_rule_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tags.json"
    file.write_text('{"tags": [{"slug": "nba", "label": "NBA"}, {"slug": "Unheard Of", "label": "?"}]}')
    assert tag_coverage.main([file]) == 1
    assert "no rule in seeds/category_rules.csv: unheard-of" in capsys.readouterr().out


def test_real_positions_that_are_held_are_worth_their_price_less_their_cost() -> None:
    rows = [*recorded("data_api_v1/positions.json"), *recorded("data_api_v1/positions_2026-05.json")]
    assert len(rows) == 7
    for row in rows:
        assert abs(row["currentValue"] - row["size"] * row["curPrice"]) < CENT
        assert abs(row["cashPnl"] - (row["currentValue"] - row["initialValue"])) < CENT
    # Losers that nobody redeemed: no loss is realized.
    lost = [row for row in rows if row["redeemable"] and not row["curPrice"]]
    assert len(lost) == 4
    assert {row["realizedPnl"] for row in lost} == {0}


def test_no_real_position_has_its_fills_among_the_samples() -> None:
    """Where one had, it would have to be reconciled fill by fill."""
    markets = {
        row.get("conditionId") or row.get("condition_id")
        for name in ("data_api_v1/activity.json", "data_api_v1/activity_all.json", "data_api_v1/activity_2026-05.json",
                     "data_api_v1/trades.json", "data_api_v2/activity.json", "data_api_v2/trades.json",
                     "wallet/trades.json")
        for row in recorded(name)
        if row.get("side")
    }  # fmt: skip
    positions = {
        row.get("conditionId") or row.get("condition_id")
        for name in ("data_api_v1/positions.json", "data_api_v1/positions_2026-05.json",
                     "data_api_v1/closed_positions_2026-05.json", "data_api_v2/positions_closed.json")
        for row in recorded(name)
    }  # fmt: skip
    assert not markets & positions


def snapshot(warehouse: Warehouse) -> dict[str, list[str]]:
    """What a second run must leave as it is: everything but the moment that scores are as of."""
    tables = ("trades", "markets", "contracts", "wallet_positions", "wallet_market_pnl")
    rows = {table: sorted(map(repr, warehouse.rows(table))) for table in tables}
    scores = [{**row, "as_of": None} for row in warehouse.rows("wallet_scores_by_category")]
    return rows | {"scores": sorted(map(repr, scores))}
