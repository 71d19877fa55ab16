"""The manners of a Supabase project's REST interface that a client has to get along with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.replica.server import serve
from tests.replica.supabase import SupabaseProject, mount
from tests.replica_tests import tiny

ROWS = [{"id": number, "wallet": f"w{number % 5}" if number else None, "secret": "hush"} for number in range(12)]


@pytest.fixture(scope="module")
def project() -> SupabaseProject:
    return SupabaseProject({"users": ROWS}, max_rows=4)


@pytest.fixture(scope="module")
def table(project: SupabaseProject) -> Iterator[str]:
    with serve(tiny.build_tiny()[0], mounts=[mount(project)]) as running:
        yield f"{running.url}/supabase/rest/v1/users"


def ask(url: str, project: SupabaseProject, **params: object) -> requests.Response:
    headers = {"apikey": project.key, "Authorization": f"Bearer {project.key}"}
    return requests.get(url, params=params, headers=headers, timeout=10)


def test_both_headers_carry_the_key(table: str, project: SupabaseProject) -> None:
    assert requests.get(table, timeout=10).status_code == 401
    assert requests.get(table, headers={"apikey": "wrong"}, timeout=10).json()["message"] == "Invalid API key"
    assert requests.get(table, headers={"apikey": project.key}, timeout=10).status_code == 401
    assert ask(table, project).status_code == 200


def test_the_projects_own_limit_cuts_every_answer(table: str, project: SupabaseProject) -> None:
    answer = ask(table, project, limit=1000, order="id.asc")
    assert [row["id"] for row in answer.json()] == [0, 1, 2, 3]
    assert answer.headers["Content-Range"] == "0-3/*"
    rest = ask(table, project, limit=1000, offset=8, order="id.asc")
    assert [row["id"] for row in rest.json()] == [8, 9, 10, 11]
    assert ask(table, project, offset=12).json() == []


def test_columns_are_chosen_named_and_filtered(table: str, project: SupabaseProject) -> None:
    answer = ask(table, project, select="address:wallet", wallet=["not.is.null", "gt.w2"], order="wallet.asc")
    assert answer.json() == [{"address": "w3"}, {"address": "w3"}, {"address": "w4"}, {"address": "w4"}]


def test_unknown_tables_columns_and_filters_are_refused(table: str, project: SupabaseProject) -> None:
    missing = ask(table.replace("users", "nobody"), project)
    assert (missing.status_code, missing.json()["code"]) == (404, "PGRST205")
    column = ask(table, project, select="address")
    assert (column.status_code, column.json()["message"]) == (400, "column users.address does not exist")
    assert ask(table, project, wallet="like.w").json()["code"] == "PGRST100"
