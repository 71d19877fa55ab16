"""A Supabase project's REST interface (PostgREST): tables of an application, each row a JSON object.

Both headers carry the key. An answer is a bare list, cut at the project's own limit of rows whatever was asked for,
with its range in `Content-Range`. Filters are `column=operator.value`; an unknown table or column is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from tests.replica.rows import encode

RESERVED = {"select", "order", "limit", "offset"}
COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda value, other: value == other,
    "gt": lambda value, other: value > other,
    "gte": lambda value, other: value >= other,
    "lt": lambda value, other: value < other,
}


@dataclass
class SupabaseProject:
    """Tables by name, and the key that opens them. `max_rows` is the project's setting, 1,000 by default."""

    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    key: str = "service-role-key-of-the-replica"
    max_rows: int = 1000


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def mount(project: SupabaseProject) -> Mount:
    """The project's API, at /supabase of a replica."""

    def table(request: Request) -> Response:
        if request.headers.get("apikey") is None:
            body = {
                "message": "No API key found in request",
                "hint": "No `apikey` request header or url param was found.",
            }
            return _json(body, 401)
        sent = (request.headers["apikey"], request.headers.get("authorization", "").removeprefix("Bearer "))
        if sent != (project.key, project.key):
            return _json({"message": "Invalid API key", "hint": "Double check your Supabase API key."}, 401)
        try:
            rows, start = _rows(project, request)
        except _Refused as refused:
            body = {"code": refused.code, "details": None, "hint": None, "message": str(refused)}
            return _json(body, refused.status)
        shown = f"{start}-{start + len(rows) - 1}/*" if rows else "*/*"
        return _json(rows, 200, {"Content-Range": shown, "Range-Unit": "items"})

    return Mount("/supabase", routes=[Route("/rest/v1/{table}", table)])


def _rows(project: SupabaseProject, request: Request) -> tuple[list[dict[str, Any]], int]:
    name = request.path_params["table"]
    if name not in project.tables:
        raise _Refused(404, "PGRST205", f"Could not find the table 'public.{name}' in the schema cache")
    rows = list(project.tables[name])
    known = {column for row in rows for column in row}

    def column(text: str) -> str:
        if text not in known and rows:
            raise _Refused(400, "42703", f"column {name}.{text} does not exist")
        return text

    for filtered, condition in request.query_params.multi_items():
        if filtered not in RESERVED:
            rows = [row for row in rows if _holds(row.get(column(filtered)), condition)]
    for order in filter(None, request.query_params.get("order", "").split(",")):
        by, _, direction = order.partition(".")
        column(by)
        # Nulls come last.
        missing = [row for row in rows if row.get(by) is None]
        rows = sorted((row for row in rows if row.get(by) is not None), key=lambda row: row[by])
        rows = [*(rows[::-1] if direction.startswith("desc") else rows), *missing]
    start = int(request.query_params.get("offset", 0))
    limit = min(int(request.query_params.get("limit", project.max_rows)), project.max_rows)
    selected = request.query_params.get("select", "*")
    if selected == "*":
        return [dict(row) for row in rows[start : start + limit]], start
    pairs = [part.partition(":") for part in selected.split(",")]
    named = {alias: column(source or alias) for alias, _, source in pairs}
    return [{alias: row.get(source) for alias, source in named.items()} for row in rows[start : start + limit]], start


def _holds(value: Any, condition: str) -> bool:
    operator, _, other = condition.partition(".")
    if operator == "not":
        return not _holds(value, other)
    if operator == "is" and other == "null":
        return value is None
    if operator not in COMPARISONS:
        raise _Refused(400, "PGRST100", f'"failed to parse filter ({condition})" (line 1, column 1)')
    return value is not None and COMPARISONS[operator](str(value), other)


def _json(value: Any, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(encode(value), status, headers, media_type="application/json; charset=utf-8")
