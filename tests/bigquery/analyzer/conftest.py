"""One analyzer and one checked build for all tests of this folder: the analyzer is large, and dbt is slow to start."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bigquery.analyzer.building import Build, add_raw_tables, unjudged
from tests.bigquery.analyzer.googlesql import GoogleSQL
from tests.bigquery.analyzer.service import Service, Statement, running

#: What dbt does differently where its tables exist, or raw ones do not.
ANOTHER_TIME = ("config.materialized:incremental", "resource_type:snapshot", "path:models/staging")


@dataclass(frozen=True)
class Checked:
    """A whole build, and an incremental one after it, with every statement."""

    build: Build
    full: list[Statement]
    increment: list[Statement]
    processes: list[subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> GoogleSQL:
    return GoogleSQL(request.config.cache.mkdir("googlesql"))


@pytest.fixture(scope="session")
def checked(engine: GoogleSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    work: Path = tmp_path_factory.mktemp("checked")
    with running(Service(engine, unjudged=unjudged())) as service:
        build = Build(service, work)
        # One venue's raw tables are missing at first, the other's at the end: models must build without them.
        add_raw_tables(service, "raw_polymarket")
        first = build.dbt("build")
        full = list(service.statements)
        service.statements.clear()
        add_raw_tables(service, "raw_dome")
        for name in [name for name in service.tables if name.startswith("raw_polymarket.")]:
            service.drop_table(name)
        # What is another statement now: of what exists already, and of views on missing tables. The rest is as before.
        second = build.dbt("build", "--select", *ANOTHER_TIME, "--exclude-resource-type", "test", "unit_test")
        increment = list(service.statements)
        add_raw_tables(service, "raw_polymarket")
        yield Checked(build, full, increment, [first, second])
