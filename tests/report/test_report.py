"""The report prints the public tables for people, and says in one line why it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import duckdb
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from report.summary import TABLES
from report.terminal import plain
from tests.conftest import BIN, ROOT, Project

AS_OF = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
WALLETS = [f"0x{number:040x}" for number in range(1, 9)]
SCORES = [
    # category, rank, wallet, omega, low, high, shrunk, markets, win rate, pnl, status
    ("Politics", 2, WALLETS[0], 2.5, 1.1, 5.7, 1.9, 40, 0.55, "1234.5", "ok"),
    ("Politics", 1, WALLETS[1], 1234.5, 2.2, 3.4, 2.5, 1200, 0.6, "-98765.43", "ok"),
    ("Politics", None, WALLETS[2], 3.0, 0.1, 9.0, 1.0, 3, 0.5, "1", "too_few"),
    ("Politics", None, WALLETS[3], None, None, None, 1.2, 12, 1.0, "1", "no_losses"),
    ("Politics", None, WALLETS[4], None, None, None, None, 12, 1.0, "1", "withheld"),
    ("Sports", None, WALLETS[5], None, None, None, None, 0, None, "0", "no_resolved"),
    ("[red]Evil[/red]\x1b[2J", 1, WALLETS[6], 1.0, 0.5, 2.0, 1.0, 10, 0.5, "0", "ok"),
]


@pytest.fixture
def filled(project: Project) -> Project:
    """A warehouse with only the columns that the report reads."""
    with duckdb.connect(project.warehouse) as connection:
        connection.execute("create schema polyomega")
        for table in TABLES:
            connection.execute(f"create table polyomega.{table} (venue varchar, market_id varchar, category varchar)")
        connection.execute("drop table polyomega.wallet_scores_by_category")
        connection.execute(
            """
            create table polyomega.wallet_scores_by_category (
                category varchar, rank bigint, wallet_address varchar, omega_ratio double, omega_low double,
                omega_high double, omega_shrunk double, resolved_markets bigint, win_rate double,
                total_pnl decimal(38, 9), omega_status varchar, period varchar, as_of timestamptz
            )
            """
        )
        connection.executemany(
            "insert into polyomega.wallet_scores_by_category values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'all', ?)",
            [[*score, AS_OF] for score in SCORES],
        )
        connection.execute(
            """
            create table polyomega.price_snapshots as
            select * from (values
                ('kalshi', 'a', 'observed', timestamp '2026-03-01 12:00:00'),
                ('kalshi', 'a', '1h', timestamp '2026-02-01 12:00:00'),
                ('kalshi', 'b', '1h', timestamp '2026-02-02 12:00:00')
            ) as prices (venue, contract_id, fidelity, snapshot_time)
            """
        )
        connection.execute("alter table polyomega.markets add column status varchar")
        connection.execute("insert into polyomega.trades values ('polymarket', 'm1', null), ('polymarket', 'm2', null)")
        connection.execute("insert into polyomega.markets values ('polymarket', 'm1', 'Sports', 'resolved')")
        connection.execute(
            """
            create table polyomega.category_coverage as
            select * from (values ('polymarket_trades', 7, 6, 4), ('dome_orders', 1, 0, 0))
                as coverage (source, trades, trades_with_market, trades_categorized)
            """
        )
        connection.execute(
            """
            create table polyomega.daily_sync_checkpoint as
            select * from (values
                (timestamptz '2026-03-01 12:00:00+00', 'completed', 3, 0, 1, 0),
                (timestamptz '2026-02-01 12:00:00+00', 'completed', 3, 99, 99, 99)
            ) as runs (last_sync_time, status, wallets_processed, trades_added, markets_added, events_added)
            """
        )
    return project


def test_leaderboard_ranks_wallets_within_each_category(filled: Project) -> None:
    shown = filled.report("leaderboard", TZ="Asia/Kolkata")
    assert shown.returncode == 0, shown.stderr
    assert max(map(len, shown.stdout.splitlines())) <= 100
    lines = [line.rstrip() for line in shown.stdout.splitlines()]
    assert lines[0] == "Omega by category, resolved markets of all time, as of 2026-03-01 12:30 UTC"
    politics = lines.index("Politics")
    first, second = (" ".join(line.split()) for line in lines[politics + 2 : politics + 4])
    assert first == "1 0x0000…0002 1,234 2.20 – 3.40 2.50 1,200 60% -$98,765.43"
    assert second == "2 0x0000…0001 2.50 1.10 – 5.70 1.90 40 55% $1,234.50"


def test_leaderboard_says_who_is_not_ranked_and_why(filled: Project) -> None:
    shown = filled.report("leaderboard").stdout
    assert "2 of 5 wallets ranked; not ranked: 1 too few markets, 1 no loss yet, 1 withheld\n" in shown
    assert "Sports: no wallet is ranked\n0 of 1 wallets ranked; not ranked: 1 nothing resolved\n" in shown


def test_leaderboard_of_one_category_takes_its_name_in_any_case(filled: Project) -> None:
    shown = filled.report("leaderboard", "--category", "politics", "--top", "1", "--wide").stdout
    assert WALLETS[1] in shown
    assert WALLETS[0] not in shown
    assert "Sports" not in shown


def test_text_of_venues_cannot_command_the_terminal(filled: Project) -> None:
    shown = filled.report("leaderboard", FORCE_COLOR="1").stdout
    assert "[red]Evil[/red] [2J" in shown
    assert "\x1b[2J" not in shown


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("[bold]x[/]", "[bold]x[/]"),
        ("a\x1b]0;title\x07b", "a ]0;title b"),
        ("a\u202eb\u200bc", "a b c"),
        ("two\nlines", "two lines"),
        ("x" * 100, "x" * 59 + "…"),
    ],
)
def test_plain_text(sent: str, shown: str) -> None:
    assert plain(sent).plain == shown
    assert not plain(sent).spans


def test_summary_counts_tables_coverage_and_the_newest_run(filled: Project) -> None:
    shown = filled.report("summary")
    assert shown.returncode == 0, shown.stderr
    counted = {line.split()[0]: line.split()[1] for line in shown.stdout.splitlines() if line.split()[0] in TABLES}
    assert counted == {table: "0" for table in TABLES} | {
        "trades": "2",
        "markets": "1",
        "wallet_scores_by_category": str(len(SCORES)),
    }
    assert "Of 8 trades 75.00% have a known market and 50.00% a category" in shown.stdout
    assert "The last run (2026-03-01 12:00 UTC, completed, 3 wallets) added 0 trades, 1 markets and 0 events." in (
        shown.stdout
    )


def test_report_changes_nothing_and_leaves_nothing(filled: Project) -> None:
    before = filled.warehouse.read_bytes()
    filled.report("leaderboard")
    assert filled.warehouse.read_bytes() == before


def one_line(shown: subprocess.CompletedProcess[str]) -> str:
    assert shown.returncode == 2, shown
    assert not shown.stdout
    assert shown.stderr.startswith("error: ") and shown.stderr.count("\n") == 1, shown.stderr
    return shown.stderr


def test_no_warehouse_yet(project: Project) -> None:
    message = one_line(project.report("leaderboard"))
    assert str(project.warehouse) in message and "make demo" in message
    assert not project.warehouse.exists()


def test_models_not_built_yet(project: Project) -> None:
    duckdb.connect(project.warehouse).close()
    assert "dbt build" in one_line(project.report("leaderboard"))


def test_no_score_yet(filled: Project) -> None:
    with duckdb.connect(filled.warehouse) as connection:
        connection.execute("delete from polyomega.wallet_scores_by_category")
    assert "no scores" in one_line(filled.report("leaderboard"))


def test_no_run_yet(filled: Project) -> None:
    with duckdb.connect(filled.warehouse) as connection:
        connection.execute("delete from polyomega.daily_sync_checkpoint")
        connection.execute("delete from polyomega.category_coverage")
    shown = filled.report("summary")
    assert shown.returncode == 0, shown.stderr
    assert "No run is recorded yet" in shown.stdout


def test_unknown_category(filled: Project) -> None:
    message = one_line(filled.report("leaderboard", "--category", "Weather"))
    assert "'Weather'" in message and "Politics" in message


def test_file_that_is_no_warehouse(project: Project) -> None:
    project.warehouse.write_text("no database")
    assert "cannot be opened" in one_line(project.report("summary"))


def test_warehouse_locked_by_another_process(filled: Project) -> None:
    with duckdb.connect(filled.warehouse):
        assert "another process" in one_line(filled.report("summary"))


@pytest.mark.parametrize("arguments", [["--top", "0"], ["--period", "1d"], ["--topp", "3"]])
def test_wrong_usage(project: Project, arguments: list[str]) -> None:
    assert project.report("leaderboard", *arguments).returncode == 2


def test_unknown_destination(project: Project) -> None:
    assert "DESTINATION__NAME" in one_line(project.report("summary", DESTINATION__NAME="redshift"))


def test_reader_that_leaves_early(filled: Project) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    shown = subprocess.run(
        [str(BIN / "python"), "-m", "report", "leaderboard"],
        cwd=ROOT,
        env=filled.environment,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (shown.returncode, shown.stderr) == (0, "")


# -- BigQuery ----------------------------------------------------------------------------------------------------------


class BigQueryAnswers(BaseHTTPRequestHandler):
    """Just enough of BigQuery's REST interface for a query with parameters, and of Google's token service."""

    queries: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/token":
            self._answer({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
            return
        query = json.loads(body)
        self.queries.append(query)
        names = ["last_sync_time", "status", "wallets", "trades", "markets", "events"]
        types = ["TIMESTAMP", "STRING", *["INTEGER"] * 4]
        values = ["1772366400000000", "completed", "3", "5", "1", "0"]
        if "daily_sync_checkpoint" not in query["query"]:
            names, types, values = names[2:5], types[2:5], ["10", "5", "0"]
        if "category_coverage" not in query["query"] and "daily_sync_checkpoint" not in query["query"]:
            names, types, values = names[:1], types[:1], values[:1]
        self._answer(
            {
                "jobComplete": True,
                "jobReference": {"projectId": "p", "jobId": "j", "location": "US"},
                "schema": {"fields": [{"name": n, "type": t} for n, t in zip(names, types, strict=True)]},
                "rows": [{"f": [{"v": value} for value in values]}],
                "totalRows": "1",
            }
        )

    def _answer(self, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def bigquery() -> Iterator[dict[str, str]]:
    """Settings that lead to a BigQuery of this test."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BigQueryAnswers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "p",
        "private_key": key.decode(),
        "client_email": "a@b",
        "token_uri": f"{url}/token",
    }
    BigQueryAnswers.queries = []
    yield {
        "DESTINATION__NAME": "bigquery",
        "DESTINATION__BIGQUERY__CREDENTIALS": json.dumps(account),
        "BIGQUERY_EMULATOR_HOST": url,
    }
    server.shutdown()
    thread.join()
    server.server_close()


def test_summary_reads_bigquery(project: Project, bigquery: dict[str, str]) -> None:
    shown = project.report("summary", **bigquery)
    assert shown.returncode == 0, shown.stderr
    assert "in BigQuery" in shown.stdout
    assert "Of 10 trades 50.00% have a known market and 0.00% a category" in shown.stdout
    assert "(2026-03-01 12:00 UTC, completed, 3 wallets) added 5 trades, 1 markets and 0 events." in shown.stdout
    assert all("polyomega." in query["query"] for query in BigQueryAnswers.queries)


def test_leaderboard_sends_its_parameters_to_bigquery(project: Project, bigquery: dict[str, str]) -> None:
    # The stand-in's answer has too few columns for a leaderboard; what was asked is what counts here.
    project.report("leaderboard", "--period", "90d", **bigquery)
    [parameter] = BigQueryAnswers.queries[0]["queryParameters"]
    assert parameter["parameterValue"] == {"value": "90d"}
    assert parameter["parameterType"] == {"type": "STRING"}


def test_bigquery_without_credentials(project: Project) -> None:
    # The dead proxy of the project keeps the search for credentials on this computer.
    message = one_line(project.report("summary", DESTINATION__NAME="bigquery", NO_GCE_CHECK="true"))
    assert "gcloud auth application-default login" in message


def test_venues_tell_their_markets_and_how_far_their_prices_reach(filled: Project) -> None:
    with duckdb.connect(filled.warehouse) as connection:
        connection.execute("insert into polyomega.markets values ('kalshi', 'k1', 'Politics', 'open')")
        connection.execute("insert into polyomega.markets values ('kalshi', 'k2', 'World', 'closed')")
    shown = filled.report("venues")
    assert shown.returncode == 0, shown.stderr
    rows = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert rows[1:] == ["kalshi 2 1 2 1 2 2026-02-01 2026-03-01", "polymarket 1 0 0 0 0 – –"]
