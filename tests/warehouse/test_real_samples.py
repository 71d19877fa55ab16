"""Real responses, served as recorded, against sums worked out here in plain Python."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.replica.server import serve
from tests.warehouse.conftest import Warehouse

SAMPLES = ROOT.parent / "shared" / "samples"
WALLET = SAMPLES / "polymarket" / "wallet"
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


def test_a_real_wallet_scores_as_plain_arithmetic_says(tmp_path: Path) -> None:
    folder = real(WALLET)
    pnl = pnl_by_market(folder)
    wallet = json.loads((folder / "trades.json").read_text())[0]["proxy_wallet"]
    with serve(folder) as replica:
        warehouse = Warehouse.in_folder(tmp_path, replica)
        warehouse.sync()
        warehouse.build()
        first = snapshot(warehouse)
        assert len(first["trades"]) == 1463
        assert {row["condition_id"] for row in warehouse.rows("markets")} == set(pnl)
        assert len(pnl) == 25
        found = {row["market_id"]: row["resolved_pnl"] for row in warehouse.rows("wallet_market_pnl")}
        assert {market: value.quantize(CENT) for market, value in found.items()} == {
            market: value.quantize(CENT) for market, value in pnl.items()
        }
        (score,) = (row for row in warehouse.rows("wallet_scores") if row["period"] == "all")
        gains = sum(value for value in pnl.values() if value > 0)
        losses = -sum(value for value in pnl.values() if value < 0)
        assert score["wallet_address"] == wallet
        assert score["resolved_markets"] == 25
        assert score["total_gains"].quantize(CENT) == gains.quantize(CENT)
        assert score["total_losses"].quantize(CENT) == losses.quantize(CENT)
        assert score["omega_ratio"] == pytest.approx(float(gains / losses), rel=1e-6)
        assert score["omega_status"] == "ok"
        warehouse.sync()
        warehouse.build()
        assert snapshot(warehouse) == first


def test_a_real_dome_page_loads_as_a_hundred_fills_however_often_it_is_read(tmp_path: Path) -> None:
    orders = json.loads((real(DOME) / "orders_page_2025-11.json").read_text(), parse_float=Decimal)["orders"]
    wallets = sorted({order["user"] for order in orders})
    with serve(DOME) as replica:
        warehouse = Warehouse.in_folder(tmp_path, replica)
        for _ in range(2):
            warehouse.sync("dome", wallets=wallets)
            warehouse.build()
            trades = warehouse.rows("trades")
            assert len(trades) == len(orders) == 100
            assert sum(trade["shares"] for trade in trades) == sum(
                Decimal(order["shares"]) / 1_000_000 for order in orders
            )


def snapshot(warehouse: Warehouse) -> dict[str, list[str]]:
    """What a second run must leave as it is: everything but the moment that scores are as of."""
    tables = ("trades", "markets", "contracts", "wallet_positions", "wallet_market_pnl")
    rows = {table: sorted(map(repr, warehouse.rows(table))) for table in tables}
    scores = [{**row, "as_of": None} for row in warehouse.rows("wallet_scores_by_category")]
    return rows | {"scores": sorted(map(repr, scores))}
