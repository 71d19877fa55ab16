"""`make demo`: the whole way, from a venue's API to the leaderboard, against a local replica of the APIs.

The demo has its own warehouse file and working folder, so that its invented wallets never meet real ones.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from sync import BIN, ROOT, fetch_build_report, say

WAREHOUSE = Path("demo.duckdb")
FOLDER = Path(".polyomega/demo")

#: The invented world: always the same one, so that a second demo finds nothing new.
WORLD = ("--seed", "7", "--wallets", "150", "--markets", "1500", "--fills", "80000")
STARTS_WITHIN_SECONDS = 120

#: The venues that are read for their prices; of Kalshi the last two weeks of the world's time, too.
VENUES = (("kalshi", "--from", "2026-02-15"), ("predictit",), ("smarkets",), ("betfair",))

#: Settings that a shell may carry for real work and that must not reach the demo.
FOREIGN = ("DESTINATION__", "SOURCES__", "DBT_", "DOME_API_KEY", "PIPELINES_DIR")


def main() -> int:
    is_first = not (ROOT / WAREHOUSE).exists()
    if is_first:
        # The working folder remembers which tables the warehouse has; without the one the other is wrong.
        shutil.rmtree(ROOT / FOLDER, ignore_errors=True)
    (ROOT / FOLDER).mkdir(parents=True, exist_ok=True)
    with replica() as url:
        code = fetch_build_report([], environment(url), top=3, venues=VENUES)
    if code == 0:
        say(NEXT)
    return code


def environment(url: str) -> dict[str, str]:
    """The shell's environment, with the venues' APIs and the warehouse replaced by the demo's."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(FOREIGN)}
    return kept | {
        "DESTINATION__NAME": "duckdb",
        "DBT_TARGET": "duckdb",
        "DESTINATION__DUCKDB__CREDENTIALS": str(WAREHOUSE),
        "PIPELINES_DIR": str(ROOT / FOLDER / "pipelines"),
        "SOURCES__POLYMARKET__DATA_API_URL": f"{url}/data-api",
        "SOURCES__POLYMARKET__GAMMA_API_URL": f"{url}/gamma",
        "SOURCES__POLYMARKET__CLOB_API_URL": f"{url}/clob",
        # The default pace is for the public APIs; the replica is nobody else's.
        "SOURCES__POLYMARKET__REQUESTS_PER_SECOND": "1000",
        "SOURCES__KALSHI__BASE_URL": f"{url}/kalshi/trade-api/v2",
        "SOURCES__KALSHI__REQUESTS_PER_SECOND": "1000",
        "SOURCES__PREDICTIT__BASE_URL": f"{url}/predictit/api/marketdata",
        "SOURCES__PREDICTIT__REQUESTS_PER_SECOND": "1000",
        "SOURCES__SMARKETS__BASE_URL": f"{url}/smarkets/v3",
        "SOURCES__SMARKETS__REQUESTS_PER_SECOND": "1000",
        "SOURCES__BETFAIR__API_URL": f"{url}/betfair/exchange",
        "SOURCES__BETFAIR__IDENTITY_URL": f"{url}/betfair/api",
        "SOURCES__BETFAIR__USERNAME": "replica-user",
        "SOURCES__BETFAIR__PASSWORD": "replica-password",
        "SOURCES__BETFAIR__APP_KEY": "replica-app-key",
        "SOURCES__BETFAIR__EVENT_TYPES": "Politics,Special Bets",
        "SOURCES__BETFAIR__REQUESTS_PER_SECOND": "1000",
    }


@contextlib.contextmanager
def replica() -> Iterator[str]:
    """Starts the replica on a free port of this computer, yields its address, and ends it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(BIN / "python"), "-m", "tests.replica", "--port", str(port), *WORLD]
    log_path = ROOT / FOLDER / "replica.log"
    with open(log_path, "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            say(f"Starting a local replica of the venues' APIs at {url} (process {process.pid}) ...")
            wait_until_ready(process, url, log_path)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(process: subprocess.Popen[bytes], url: str, log_path: Path) -> None:
    # A proxy of the environment must not be asked for an address of this computer.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with opener.open(f"{url}/_control/stats", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit(f"the replica did not start; its log is {log_path}")


NEXT = f"""
Where everything is
  {WAREHOUSE}        the demo's warehouse: invented wallets, kept apart from warehouse.duckdb
  profiles.yml       dbt's connection: DuckDB by default, BigQuery targets beside it
  models/, extract/  what makes the tables, and what fetches the raw rows; docs/architecture.md walks through
Next
  export DESTINATION__DUCKDB__CREDENTIALS={WAREHOUSE}   look around in the demo:
    .venv/bin/dlt pipeline status
    .venv/bin/dbt build
    .venv/bin/python -m report leaderboard --category Politics --wide
  make sync    the same against the live public APIs, into warehouse.duckdb
  make docs    every table and column, as one page
"""

if __name__ == "__main__":
    sys.exit(main())
