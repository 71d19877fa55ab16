"""The one reading layer: the same plain `select` from public tables on DuckDB and on BigQuery."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import dlt
import duckdb

from extract.settings import UsageError
from extract.warehouse import DEFAULT_DUCKDB_FILE, PUBLIC_SCHEMA, public_schema

Row = tuple[Any, ...]


class ReportError(Exception):
    """The report cannot be given; the message is one line that says why and what to do."""


class Warehouse(Protocol):
    """Where the public tables are read from."""

    name: str

    def rows(self, sql: str, parameters: Sequence[str | int] = ()) -> list[Row]:
        """Rows of a select; `{schema}` in it is the public schema, each `?` a parameter."""
        ...

    def close(self) -> None: ...


@contextmanager
def open_warehouse() -> Iterator[Warehouse]:
    """Opens the warehouse that the extractor fills, by the same settings.

    Raises:
        ReportError: it does not exist or cannot be opened.
    """
    name = dlt.config.get("destination.name", str) or "duckdb"
    if name not in ("duckdb", "bigquery"):
        raise ReportError(f"DESTINATION__NAME must be duckdb or bigquery, got {name!r}")
    warehouse: Warehouse
    if name == "bigquery":
        warehouse = BigQuery()
    else:
        configured = dlt.config.get("destination.duckdb.credentials", str)
        path = (configured or DEFAULT_DUCKDB_FILE).removeprefix("duckdb:///")
        warehouse = DuckDB(Path(path))
    try:
        yield warehouse
    finally:
        warehouse.close()


class DuckDB:
    """A DuckDB file, opened read-only: the report can neither change nor create it."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        if not path.is_file():
            raise ReportError(f"no warehouse at {path}: run `make demo` or `make sync` first")
        try:
            self._connection = duckdb.connect(path, read_only=True)
            # All times are told in UTC, whatever the computer's own zone.
            self._connection.execute("set TimeZone = 'UTC'")
        except duckdb.Error as error:
            reason = _first_line(error)
            if "lock" in reason.lower():
                reason = "another process has it open, try again when it is closed"
            raise ReportError(f"the warehouse {path} cannot be opened: {reason}") from None

    def rows(self, sql: str, parameters: Sequence[str | int] = ()) -> list[Row]:
        try:
            query = sql.format(schema=PUBLIC_SCHEMA)
            return self._connection.execute(query, list(parameters)).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise _not_built(self.name, error) from None

    def close(self) -> None:
        self._connection.close()


class BigQuery:
    """BigQuery, with the extractor's settings."""

    name = "BigQuery"

    def __init__(self) -> None:
        # Imported here: the client takes a second to load, and only BigQuery needs it.
        from google.api_core.exceptions import GoogleAPIError
        from google.cloud import bigquery

        from extract.bigquery import connect, settings

        self._bigquery = bigquery
        self._api_error = GoogleAPIError
        try:
            self._client = connect(settings())
        except UsageError as error:
            raise ReportError(str(error)) from None

    def rows(self, sql: str, parameters: Sequence[str | int] = ()) -> list[Row]:
        kinds = {str: "STRING", int: "INT64"}
        job = self._bigquery.QueryJobConfig(
            query_parameters=[
                self._bigquery.ScalarQueryParameter(None, kinds[type(value)], value) for value in parameters
            ]
        )
        try:
            answer = self._client.query_and_wait(sql.format(schema=public_schema()), job_config=job)
            return [tuple(row.values()) for row in answer]
        except self._api_error as error:
            raise _not_built(self.name, error) from None

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]  # the client is typed only in part


def _not_built(name: str, error: Exception) -> ReportError:
    return ReportError(f"public tables in {name} are missing or out of date: run `dbt build` ({_first_line(error)})")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]
