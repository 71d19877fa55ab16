"""The movable clock, the handles on a running replica, and the replica as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from tests.replica.clock import Clock, to_epoch
from tests.replica.server import RunningReplica, serve
from tests.replica.world import World
from tests.replica_tests.tiny import ALICE, NOW, Json, data_rows, get

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "moment",
    [
        NOW,
        float(NOW),
        str(NOW),
        "2026-03-01",
        "2026-03-01T00:00:00Z",
        "2026-03-01T02:00:00+02:00",
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 3, 1),
    ],
)
def test_moments(moment: object) -> None:
    assert to_epoch(moment) == NOW  # type: ignore[arg-type]  # every accepted form is listed above


def test_the_clock_moves_only_when_told() -> None:
    clock = Clock("2026-03-01")
    assert [clock.tick(), clock.tick(), clock.now()] == [NOW] * 3
    assert clock.advance(30) == NOW + 30
    assert clock.set("2026-03-02T00:00:00Z") == NOW + 86_400
    assert clock.iso() == "2026-03-02T00:00:00Z"
    stepping = Clock(NOW, auto_advance=5)
    assert [stepping.tick(), stepping.tick(), stepping.now()] == [NOW, NOW + 5, NOW + 10]


def test_thirty_minutes_later_there_is_more(replica: RunningReplica, known: Json) -> None:
    before = data_rows(replica, "trades", user=ALICE, limit=1000)
    replica.clock.advance(1800)
    after = data_rows(replica, "trades", user=ALICE, limit=1000)
    # The twenty trades of those minutes, and the late one.
    assert len(after) - len(before) == 20 + 1
    replica.clock.set(NOW)
    assert data_rows(replica, "trades", user=ALICE, limit=1000) == before


def test_the_clock_over_http(replica: RunningReplica) -> None:
    url = f"{replica.url}/_control/clock"
    assert get(url).json() == {"now": NOW, "iso": "2026-03-01T00:00:00Z", "auto_advance": 0}
    moved = requests.post(url, json={"advance_seconds": 60}, timeout=10).json()
    assert moved["now"] == replica.clock.now() == NOW + 60
    requests.post(url, json={"now": "2026-03-05T00:00:00Z", "auto_advance": 7}, timeout=10)
    assert replica.clock.iso() == "2026-03-05T00:00:00Z"
    assert replica.clock.auto_advance == 7
    assert requests.post(url, json={"now": "soon"}, timeout=10).status_code == 400
    assert requests.post(url, data="{", timeout=10).status_code == 400
    # Looking at the clock does not move it.
    assert get(url).json()["now"] == get(url).json()["now"]


def test_requests_are_logged(replica: RunningReplica) -> None:
    get(f"{replica.data_api_url}/v2/trades", user=ALICE, limit=3)
    replica.clock.advance(60)
    get(f"{replica.data_api_url}/v2/trades", offset=3)
    first, second = replica.requests
    assert (first.method, first.path, first.status) == ("GET", "/data-api/v2/trades", 200)
    assert first.query == f"user={ALICE}&limit=3"
    assert (second.status, second.world_time) == (400, NOW + 60)
    body = get(f"{replica.url}/_control/requests").json()
    assert body["total"] == 2
    assert [entry["status"] for entry in body["requests"]] == [200, 400]
    stats = get(f"{replica.url}/_control/stats").json()
    assert stats["requests_by_path"] == {"/data-api/v2/trades": 2}
    assert stats["source"]["markets"] > 10
    requests.delete(f"{replica.url}/_control/requests", timeout=10)
    assert len(replica.requests) == 0


def test_the_environment_points_at_the_replica(replica: RunningReplica) -> None:
    environment = replica.environment()
    assert set(environment) == {
        "SOURCES__POLYMARKET__DATA_API_URL",
        "SOURCES__POLYMARKET__GAMMA_API_URL",
        "SOURCES__POLYMARKET__CLOB_API_URL",
        "SOURCES__DOME__BASE_URL",
        "SOURCES__DOME__API_KEY",
    }
    assert get(f"{environment['SOURCES__POLYMARKET__DATA_API_URL']}/v2/status").ok
    assert get(f"{environment['SOURCES__POLYMARKET__GAMMA_API_URL']}/markets/keyset").ok
    assert get(f"{environment['SOURCES__POLYMARKET__CLOB_API_URL']}/markets").ok
    key = {"Authorization": f"Bearer {environment['SOURCES__DOME__API_KEY']}"}
    url = f"{environment['SOURCES__DOME__BASE_URL']}/polymarket/markets"
    assert requests.get(url, headers=key, timeout=10).ok


def test_two_replicas_do_not_meet(tiny_world: tuple[World, Json], replica: RunningReplica) -> None:
    with serve(tiny_world[0], now=NOW) as other:
        assert other.port != replica.port
        other.clock.advance(60)
        other.faults.add("html")
        assert replica.clock.now() == NOW
        assert get(f"{replica.data_api_url}/v2/status").json()
        url = other.url
    with pytest.raises(requests.ConnectionError):
        get(url)


def run_replica(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.replica", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_replica_as_a_process() -> None:
    small = ["--wallets", "4", "--markets", "5", "--fills", "40", "--days", "30"]
    arguments = ["--port", "0", *small, "--now", "2026-02-20T12:00:00Z", "--auto-advance", "60"]
    with run_replica(*arguments) as process:
        try:
            assert process.stdout is not None
            text = ""
            while "API_KEY" not in text:
                line = process.stdout.readline()
                assert line, process.stderr and process.stderr.read()
                text += line
            assert "world time 2026-02-20T12:00:00Z" in text
            (url,) = re.findall(r"DATA_API_URL=(\S+)", text)
            dates = [get(f"{url}/v2/status").headers["Date"] for _ in range(2)]
            assert dates == ["Fri, 20 Feb 2026 12:00:00 GMT", "Fri, 20 Feb 2026 12:01:00 GMT"]
        finally:
            process.terminate()
            process.communicate(timeout=10)


def test_the_settings_as_shell_lines() -> None:
    with run_replica("--port", "8801", "--print-env") as process:
        text, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    lines = text.splitlines()
    assert "export SOURCES__POLYMARKET__GAMMA_API_URL=http://127.0.0.1:8801/gamma" in lines
    assert all(line.startswith("export SOURCES__") for line in lines)


def test_what_cannot_be_served_is_said_at_once(tmp_path: Path, replica: RunningReplica) -> None:
    with run_replica("--port", "0", "--recorded", str(tmp_path / "nothing")) as process:
        _, error = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "no such folder" in error and "Traceback" not in error
    with run_replica("--port", str(replica.port)) as process:
        _, error = process.communicate(timeout=20)
    assert process.returncode == 2
    assert f"cannot listen on port {replica.port}" in error
