"""What all tests share: no network but this computer's, and projects of their own to run the commands in."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from tests.forked import run_dbt

ROOT = Path(__file__).resolve().parent.parent
#: Programs of the environment that runs the tests.
BIN = Path(sys.executable).parent
#: What dbt made of the project's files, by its target and variables. The first command in a new folder goes on from
#: there instead of reading them all again; whether they are still the same dbt sees for itself.
PARSED = ROOT / ".pytest_cache" / "parsed"
#: A port that refuses: proxied there, whatever a sub-process asks of the outside fails at once.
DEAD_PROXY = "http://127.0.0.1:9"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes first: the short ones fill the gaps at the end."""
    items.sort(key=lambda item: not {"bigquery", "warehouse"} & set(item.path.relative_to(ROOT).parts))


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Refuses connections that leave this computer, and the name look-ups that would come before them."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_local(address[0]):
            raise AssertionError(f"a test reached for the network: {address}")
        connect(self, address)

    def guarded_look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        if host is not None and not is_local(host):
            raise socket.gaierror(socket.EAI_NONAME, f"no network in tests: {host}")
        return look_up(host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


def is_local(host: str | bytes) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Project:
    """The checkout's code with a warehouse and working folders of its own, driven as a user would: by its commands."""

    folder: Path
    environment: dict[str, str]

    @property
    def warehouse(self) -> Path:
        return Path(self.environment["DESTINATION__DUCKDB__CREDENTIALS"])

    def run(self, command: Sequence[str], cwd: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
        """Runs one of the environment's programs; `more` adds to its environment variables."""
        if command[0] == "dbt":
            return run_dbt(command[1:], cwd, self.environment | more)
        return subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=cwd,
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def dlt(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return self.run(["dlt", "pipeline", *arguments], **more)

    def dbt(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        if "--project-dir" in arguments:
            return self.run(["dbt", *arguments], **more)
        variables = arguments[arguments.index("--vars") + 1] if "--vars" in arguments else ""
        target = self.environment.get("DBT_TARGET", "duckdb")
        remembered = PARSED / f"{target}-{hashlib.sha256(variables.encode()).hexdigest()[:16]}.msgpack"
        parsed = Path(self.environment["DBT_TARGET_PATH"]) / "partial_parse.msgpack"
        if remembered.exists() and not parsed.exists():
            parsed.parent.mkdir(exist_ok=True)
            shutil.copy(remembered, parsed)
        # From the folder, for dbt reads everything again where a warehouse has another name.
        named = {"DBT_PROJECT_DIR": str(ROOT), "DESTINATION__DUCKDB__CREDENTIALS": self.warehouse.name}
        process = self.run(["dbt", *arguments], cwd=self.folder, **named | more)
        if parsed.exists() and not remembered.exists():
            PARSED.mkdir(parents=True, exist_ok=True)
            # Whole or not at all: others look for it at the same time.
            copy = shutil.copy(parsed, remembered.with_suffix(f".{os.getpid()}"))
            os.replace(copy, remembered)
        return process

    def report(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return self.run(["python", "-m", "report", *arguments], **more)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.warehouse, read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


def make_project(folder: Path) -> Project:
    """A project whose every file lies in `folder`, with nothing inherited but the way to the programs."""
    profiles = folder / "profiles"
    profiles.mkdir(parents=True)
    profile = yaml.safe_load((ROOT / "profiles.yml.example").read_text(encoding="utf-8"))
    # Where tests keep all processors busy, a second thread of dbt costs a fifth more processor time. The demo has it.
    profile["polyomega"]["outputs"]["duckdb"]["threads"] = 1
    (profiles / "profiles.yml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "DBT_USE_COLORS": "false",
        # No test reads these files, and they take two seconds of every command.
        "DBT_WRITE_JSON": "false",
        "DBT_LOG_LEVEL_FILE": "none",
        "DESTINATION__NAME": "duckdb",
        "DESTINATION__DUCKDB__CREDENTIALS": str(folder / "warehouse.duckdb"),
        "DLT_DATA_DIR": str(folder / "dlt"),
        "PIPELINES_DIR": str(folder / "pipelines"),
        "DBT_PROFILES_DIR": str(profiles),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "HTTP_PROXY": DEAD_PROXY,
        "HTTPS_PROXY": DEAD_PROXY,
        "NO_PROXY": "127.0.0.1,localhost",
    }
    return Project(folder, environment)
