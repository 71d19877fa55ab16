"""The commands as a user meets them: one clear message per mistake, honest counts, nothing lost."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.conftest import make_project
from tests.replica.server import RunningReplica, serve
from tests.replica.world import World, build_world
from tests.warehouse.conftest import SOAK, WITHOUT_TESTS, Warehouse, checked

PRICE_VENUES = ("kalshi", "predictit", "smarkets", "betfair")
#: None, and one alone: whatever they share must do without the others.
CHOICES_OF_VENUES = [[], *([venue] for venue in (PRICE_VENUES if SOAK else PRICE_VENUES[-1:]))]


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(seed=31, wallets=14, markets=60, fills=1500)


@pytest.fixture(scope="module")
def replica(world: World) -> Iterator[RunningReplica]:
    with serve(world) as running:
        yield running


@pytest.fixture(scope="module")
def built(world: World, replica: RunningReplica, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse that was synced and built once; tests leave it as it is."""
    warehouse = Warehouse.in_folder(tmp_path_factory.mktemp("built"), replica)
    warehouse.sync(wallets=world.wallets)
    warehouse.build()
    return warehouse


def raw_counts(warehouse: Warehouse) -> list[int]:
    tables = ("trades", "activity", "markets", "events")
    return [warehouse.project.query(f"select count(*) from raw_polymarket.{table}")[0][0] for table in tables]


def test_a_second_build_is_incremental_and_changes_nothing(built: Warehouse) -> None:
    before = everything(built)
    built.build(*WITHOUT_TESTS)
    assert everything(built) == before
    compiled = (built.project.folder / "target" / "run").rglob("trades.sql")
    assert any("merge into" in path.read_text().lower() for path in compiled)


def test_a_model_that_fails_leaves_its_table_as_it_was(built: Warehouse) -> None:
    before = everything(built)
    # Only rows can show that this is no number.
    variables = {"price_venues": [], "omega_min_markets": "cast(wallet_address as int)"}
    process = built.project.dbt("run", "--quiet", "--select", "wallet_scores", "--vars", json.dumps(variables))
    assert process.returncode == 1
    assert "Could not convert string" in process.stdout
    assert everything(built) == before


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "message"),
    [
        (["kalshy", "run"], {}, 2, "unknown venue 'kalshy': choose one of polymarket, dome, kalshi, predictit"),
        (["run", "--wallets", "0x12,"], {}, 2, "--wallets: '0x12' is neither a wallet address"),
        (["run", "--wallets", " , "], {}, 2, "--wallets names no wallet"),
        (["run", "--since", "yesterday"], {}, 2, "--since: 'yesterday' is no ISO date or time"),
        (["run", "--top", "0"], {}, 2, "--top must be at least 1"),
        (["run", "--since", "2026-01-01", "--full"], {}, 2, "not allowed with"),
        (["run"], {"DESTINATION__NAME": "postgres"}, 2, "DESTINATION__NAME must be one of duckdb, bigquery"),
        (
            ["run"],
            {"DESTINATION__DUCKDB__CREDENTIALS": "/no/such/folder/warehouse.duckdb"},
            2,
            "check DESTINATION__DUCKDB__CREDENTIALS",
        ),
        (
            ["run"],
            {"SOURCES__POLYMARKET__DATA_API_URL": "data-api"},
            2,
            "SOURCES__POLYMARKET__DATA_API_URL must be an http(s) URL",
        ),
        (["run"], {"SOURCES__POLYMARKET__WORKERS": "0"}, 2, "SOURCES__POLYMARKET__WORKERS must be at least 1"),
        (["run"], {"SOURCES__POLYMARKET__OVERLAP": "soon"}, 2, "overlap"),
        (["dome", "run"], {"SOURCES__DOME__API_KEY": ""}, 2, "set SOURCES__DOME__API_KEY (or DOME_API_KEY)"),
        (["dome", "run"], {}, 2, "no wallets are known for dome"),
        (
            ["run", "--top", "2"],
            {"SOURCES__POLYMARKET__DATA_API_URL": "http://127.0.0.1:9"},
            1,
            "cannot be reached",
        ),
    ],
)
def test_a_mistake_is_one_clear_message_and_costs_nothing(
    built: Warehouse, arguments: list[str], settings: dict[str, str], code: int, message: str
) -> None:
    before = raw_counts(built)
    process = built.project.dlt(*arguments, **settings)
    printed = " ".join((process.stdout + process.stderr).split())
    assert process.returncode == code, printed
    assert message in printed
    assert "Traceback" not in printed
    assert printed.count(message) == 1
    # A run that got as far as asking the venue may have added rows; none may be gone.
    after = raw_counts(built)
    assert after == before or (code == 1 and all(now >= then for now, then in zip(after, before, strict=True)))


def test_a_warehouse_in_use_is_told_and_left_alone(built: Warehouse) -> None:
    before = raw_counts(built)
    hold = "import duckdb, sys, time; held = duckdb.connect(sys.argv[1]); print(1, flush=True); time.sleep(60)"
    command = [sys.executable, "-c", hold, str(built.project.warehouse)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        process = built.project.dlt("run")
        holder.kill()
    assert process.returncode == 3
    assert "the warehouse is open in another process, try again when it is closed" in process.stderr
    assert "Traceback" not in process.stderr
    assert raw_counts(built) == before


def test_two_runs_never_share_a_working_folder(world: World, replica: RunningReplica, tmp_path: Path) -> None:
    warehouse = Warehouse.in_folder(tmp_path, replica)
    replica.faults.add("hang", "/v2/trades", seconds=6)
    try:
        listing = tmp_path / "wallets.txt"
        listing.write_text("\n".join(list(world.wallets)[:3]))
        command = [str(Path(sys.executable).parent / "dlt"), "pipeline", "run", "--wallets", str(listing)]
        environment = warehouse.project.environment
        first = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while not list(tmp_path.rglob("run.lock")):
            time.sleep(0.05)
        time.sleep(0.2)
        second = warehouse.project.dlt("run")
        first.communicate()
    finally:
        replica.faults.clear()
    assert first.returncode == 0
    assert second.returncode == 3
    assert "another `dlt pipeline polymarket run` is under way" in second.stderr


def test_html_with_status_200_fails_its_walks_only(world: World, replica: RunningReplica, built: Warehouse) -> None:
    before = raw_counts(built)
    wallet = next(iter(world.wallets))
    replica.faults.add("html", "/v2/trades", query={"user": wallet})
    try:
        printed = built.sync("--since", "2026-02-28", wallets=[wallet], code=1)
    finally:
        replica.faults.clear()
    assert printed.count("answered 200 without JSON (text/html)") == 1
    assert all(now >= then for now, then in zip(raw_counts(built), before, strict=True))


def test_trades_of_a_market_that_the_venue_does_not_return_stay_uncategorized(world: World, built: Warehouse) -> None:
    traded = {fill.condition_id for fill in world.fills}
    unlisted = {condition for condition in traded if not world.markets[condition].listed}
    assert unlisted
    fills = sum(fill.condition_id in unlisted for fill in world.fills)
    pnl = built.rows("wallet_market_pnl")
    of_unlisted = [row for row in pnl if row["market_id"] in unlisted]
    assert {row["market_id"] for row in of_unlisted} == unlisted
    assert {(row["category"], row["not_scored_reason"]) for row in of_unlisted} == {("Uncategorized", "market_unknown")}
    assert sum(row["condition_id"] in unlisted for row in built.rows("trades")) == fills


def test_markets_that_a_run_did_not_get_to_are_looked_up_by_the_next(
    world: World, replica: RunningReplica, tmp_path: Path
) -> None:
    """Before anything was built that could list them: the next run reads the wallets' new trades only."""
    warehouse = Warehouse.in_folder(tmp_path, replica)
    wallets = list(world.wallets)[:3]
    replica.faults.add("error", "/markets", status=503)
    try:
        warehouse.sync(wallets=wallets, code=1)
    finally:
        replica.faults.clear()
    warehouse.sync(wallets=wallets)
    traded, known = (
        {row[0] for row in warehouse.project.query(f"select condition_id from raw_polymarket.{table}")}
        for table in ("trades", "markets")
    )
    assert {condition for condition in traded if world.markets[condition].listed} <= known


def test_a_dry_run_counts_the_requests_of_the_real_run_and_a_second_run_adds_nothing(
    world: World, replica: RunningReplica, tmp_path: Path
) -> None:
    warehouse = Warehouse.in_folder(tmp_path, replica)
    for number, arguments in enumerate(([], [], ["--top", "3"], ["--since", "2026-01-01"])):
        dry = warehouse.sync("--dry-run", *arguments)
        assert not warehouse.project.warehouse.exists() or number
        sent = len(replica.requests)
        real = warehouse.sync(*arguments)
        assert requests_told(dry) == requests_told(real) == len(replica.requests) - sent
        assert "Nothing was loaded" in dry
        if not arguments:
            warehouse.build(*WITHOUT_TESTS)
    first, second, *_ = sorted(warehouse.rows("daily_sync_checkpoint"), key=lambda run: run["last_sync_time"])
    assert first["trades_added"] == len(warehouse.rows("trades")) > 0
    assert first["markets_added"] == len(warehouse.rows("markets"))
    assert (second["trades_added"], second["markets_added"], second["events_added"]) == (0, 0, 0)
    assert second["trades_fetched"] > 0, "the overlap is read again"


def requests_told(printed: str) -> int:
    match = re.search(r"requests\s+([\d,]+) in", printed)
    assert match is not None, printed
    return int(match.group(1).replace(",", ""))


def test_status_shows_runs_wallets_and_failures(world: World, replica: RunningReplica, tmp_path: Path) -> None:
    warehouse = Warehouse.in_folder(tmp_path, replica)
    early = warehouse.project.dlt("status")
    assert early.returncode == 2
    assert "run `dlt pipeline run`" in early.stderr
    assert not warehouse.project.warehouse.exists()
    struck, later, *others = list(world.wallets)[:4]
    try:
        # One fails at once, and one when it was read before.
        replica.clock.set(world.ends_at - 86_400)
        replica.faults.add("error", "/v2/activity", query={"user": struck}, status=503)
        warehouse.sync(wallets=[struck, later, *others], code=1)
        warehouse.build(*WITHOUT_TESTS)
        before = watermarks(warehouse)
        replica.clock.set(world.ends_at)
        replica.faults.add("error", "/v2/activity", query={"user": later}, status=503)
        warehouse.sync(wallets=[struck, later, *others], code=1)
    finally:
        replica.faults.clear()
        replica.clock.set(world.ends_at)
    after = watermarks(warehouse)
    # Half-way: their trades were read.
    assert before[struck][1] is None is after[struck][1]
    assert after[later] == (after[others[0]][0], before[later][1])
    assert all(now > then for wallet in others for now, then in zip(after[wallet], before[wallet], strict=True))
    shown = warehouse.project.dlt("status")
    assert shown.returncode == 1
    assert struck in shown.stdout
    assert "503" in shown.stdout
    assert max(len(line) for line in shown.stdout.splitlines()) <= 100
    assert "3 of 4 wallets whole (75%), 1 tried in vain" in shown.stdout
    assert "gaps       2 truncated_walk" in shown.stdout, shown.stdout
    state = json.loads(warehouse.project.dlt("status", "--json").stdout)
    assert {row["sync_status"]: row["wallets"] for row in state["wallets"]} == {"completed": 2, "failed": 2}
    assert [(row["wallet_address"], row["error_count"]) for row in state["failed_wallets"]] == [(struck, 2), (later, 1)]
    assert {name: state["backfill"][name] for name in ("wallets", "whole")} == {"wallets": 4, "whole": 3}
    assert state["gaps"] == {"truncated_walk": 2} and state["freshness"]["newest_trade"]
    asked = len(replica.requests)
    checked(warehouse.project.dlt("run", "--retry-failed"), 0)
    queries = [request.query for request in replica.requests][asked:]
    assert {user for query in queries for user in re.findall(r"user=(0x\w+)", query)} == {struck, later}
    assert set(watermarks(warehouse).values()) == {after[others[0]]}
    assert warehouse.project.dlt("status").returncode == 0, "the lists are live: no build is needed to see the repair"


def watermarks(warehouse: Warehouse) -> dict[str, tuple[datetime | None, datetime | None]]:
    """Up to when trades and ledger of each wallet are known. A live view."""
    rows = warehouse.rows("wallets_needing_sync")
    return {row["wallet_address"]: (row["trades_watermark_at"], row["activity_watermark_at"]) for row in rows}


def test_a_deleted_warehouse_is_filled_anew(world: World, replica: RunningReplica, tmp_path: Path) -> None:
    warehouse = Warehouse.in_folder(tmp_path, replica)
    wallets = list(world.wallets)[:2]
    warehouse.sync(wallets=wallets)
    before = raw_counts(warehouse)
    warehouse.project.warehouse.unlink()
    warehouse.sync(wallets=wallets)
    assert raw_counts(warehouse) == before


def test_a_lost_working_folder_costs_nothing(world: World, replica: RunningReplica, tmp_path: Path) -> None:
    warehouse = Warehouse.in_folder(tmp_path, replica)
    wallets = list(world.wallets)
    warehouse.sync(wallets=wallets)
    warehouse.build(*WITHOUT_TESTS)
    full = raw_counts(warehouse)[0]
    (tmp_path / "pipelines").rename(tmp_path / "lost")
    warehouse.sync()
    increment = raw_counts(warehouse)[0] - full
    assert 0 < increment < full, "the watermarks come from the warehouse, so the second run is no full one"


def everything(warehouse: Warehouse) -> dict[str, list[str]]:
    tables = warehouse.project.query(
        "select table_name from information_schema.tables where table_schema = 'polyomega' order by 1"
    )
    return {table: sorted(map(repr, warehouse.rows(str(table)))) for (table,) in tables}


def test_text_of_any_kind_and_size_is_data(tmp_path: Path) -> None:
    """Forty rows of five megabytes, with quotes, HTML and a null byte, in one page."""
    wallet = "0x" + "ab" * 20
    hostile = "<b>'; drop table trades; --\\u0000 " + "é" * 2_500_000
    rows = [
        f'{{"proxy_wallet": "{wallet}", "side": "BUY", "token_id": "{10**76 + number}", "size": 5, "price": 0.5, '
        f'"condition_id": "0x{number:064x}", "transaction_hash": "0x{number:064x}", '
        f'"timestamp": {1764790000 + number}, "title": "{hostile}"}}'
        for number in range(40)
    ]
    (tmp_path / "recorded").mkdir()
    (tmp_path / "recorded" / "trades.json").write_text(f"[{','.join(rows)}]")
    with serve(tmp_path / "recorded") as replica:
        warehouse = Warehouse.in_folder(tmp_path / "project", replica)
        warehouse.sync(wallets=[wallet])
        warehouse.build(*WITHOUT_TESTS)
    assert len(warehouse.rows("trades", "id")) == 40


@pytest.mark.parametrize("venues", CHOICES_OF_VENUES, ids=lambda venues: "-".join(venues) or "none")
def test_any_choice_of_price_venues_builds(venues: list[str], tmp_path: Path) -> None:
    project = make_project(tmp_path)
    chosen = ("--vars", json.dumps({"price_venues": venues}))
    if SOAK:
        checked(project.dbt("build", "--quiet", *chosen), 0)
        return
    # Parsing finds a model that reads another venue's, but not a unit test that does.
    checked(project.dbt("parse", "--quiet", *chosen, DBT_WRITE_JSON="true"), 0)
    manifest = json.loads((tmp_path / "target" / "manifest.json").read_text(encoding="utf-8"))
    models = {node["name"] for node in manifest["nodes"].values()}
    inputs = {given["input"] for test in manifest["unit_tests"].values() for given in test["given"]}
    read = {name for text in inputs for name in re.findall(r"ref\('(\w+)'\)", text)}
    assert read
    assert read <= models
