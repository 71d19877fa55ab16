"""The warehouse as the extractor sees it: a dlt pipeline to load with, and the lists that dbt says are due."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import dlt
import duckdb
from dlt.common.destination.exceptions import DestinationException
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema.typing import TColumnSchema
from dlt.destinations.exceptions import DatabaseTerminalException, DatabaseUndefinedRelation
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.destinations.impl.duckdb.factory import DuckDbTypeMapper

from extract.settings import UsageError

PUBLIC_SCHEMA = "polyomega"
DEFAULT_DUCKDB_FILE = "warehouse.duckdb"
WORKING_FOLDER = ".polyomega/pipelines"
DESTINATIONS = ("duckdb", "bigquery")

#: DuckDB's own limit is four fifths of the computer's memory; `python -m benchmarks --only memory` shows the effect.
LOADING_MEMORY_MB = 96
#: An insert holds the texts of some thousand rows several times over, and rows can hold anything.
LOADING_MEMORY_PER_PAGE = 4

#: (resource, scope, from, to), both UTC.
Stretch = tuple[str, str, datetime, datetime]

#: Makes a raw table's name one that SQL understands.
Naming = Callable[[str], str]


class WarehouseBusyError(Exception):
    """Another process holds the warehouse or the pipeline; nothing was changed, the same command works later."""


class RawTypeMapper(DuckDbTypeMapper):
    """DuckDB's types of raw columns.

    DuckDB tries every compression on every column, and a dictionary of payloads, which are all different, takes a
    hundred megabytes before it is given up for FSST, which is chosen in the end anyway.
    """

    def to_destination_type(self, column: TColumnSchema, table: PreparedTableSchema) -> str:
        type_ = super().to_destination_type(column, table)
        return f"{type_} using compression fsst" if column["name"] == "payload" else type_


def open_pipeline(venue: str, *, create: bool, part: str = "") -> dlt.Pipeline:
    """Returns the venue's dlt pipeline, its destination chosen by `DESTINATION__NAME` and seen to be writable.

    Args:
        create: make a DuckDB file where there is none; otherwise the pipeline is returned unopened.
        part: name of a part of the work that runs beside others, in a working folder of its own.

    Raises:
        UsageError: the destination is unknown or cannot be opened with these settings.
        WarehouseBusyError: another process has the DuckDB file open.
    """
    name = dlt.config.get("destination.name", str) or "duckdb"
    if name not in DESTINATIONS:
        raise UsageError(f"DESTINATION__NAME must be one of {', '.join(DESTINATIONS)}, got {name!r}")
    # Raw rows name the load that brought them: models count only rows of loads that were committed.
    dlt.config["normalize.parquet_normalizer.add_dlt_load_id"] = True
    return (_bigquery if name == "bigquery" else _duckdb)(venue, create=create, part=part)


def _duckdb(venue: str, *, create: bool, part: str) -> dlt.Pipeline:
    file = _duckdb_file()
    pipeline = dlt.pipeline(
        pipeline_name=venue,
        destination=dlt.destinations.duckdb(credentials=DuckDbCredentials(file), type_mapper=RawTypeMapper),
        dataset_name=f"raw_{venue}",
        pipelines_dir=_pipelines_dir(os.path.abspath(file), part),
    )
    _forget_lost_schema(pipeline)
    if create or has_warehouse(pipeline):
        _check_opens(pipeline)
    return pipeline


def _bigquery(venue: str, *, create: bool, part: str) -> dlt.Pipeline:
    # Imported here: Google's client takes a second to load, and only BigQuery needs it.
    from extract import bigquery

    settings = bigquery.settings()
    pipeline = dlt.pipeline(
        pipeline_name=venue,
        destination=bigquery.BigQuery(destination_name="bigquery"),
        dataset_name=f"{settings.dataset_prefix}raw_{venue}",
        pipelines_dir=_pipelines_dir(bigquery.identity(settings), part),
        # Load files go to BigQuery directly, or by way of a bucket where one is named.
        staging="filesystem" if dlt.config.get("destination.filesystem.bucket_url", str) else None,
    )
    _forget_lost_schema(pipeline)
    bigquery.check(settings, pipeline.dataset_name, create=create)
    return pipeline


def _forget_lost_schema(pipeline: dlt.Pipeline) -> None:
    """A run that was killed while dlt emptied the working folder, for the warehouse was gone, leaves a state that names
    a schema without a file; every command after it would fail. The warehouse has the schema, or nobody needs it."""
    name: Any = pipeline.default_schema_name
    if name is not None and name not in pipeline.schemas:
        pipeline.default_schema_name = None


def has_warehouse(pipeline: dlt.Pipeline) -> bool:
    """False where the DuckDB file was never made; connecting to it would make it."""
    return pipeline.destination.destination_name != "duckdb" or os.path.exists(_duckdb_file())


def loading_credentials(pipeline: dlt.Pipeline, fattest_page: int | None) -> Any:
    """Credentials that hold DuckDB to what a load package needs; None, the settings', for other destinations.

    Args:
        fattest_page: bytes of the package's largest page; None where nobody knows, then DuckDB takes what it needs.
    """
    if pipeline.destination.destination_name != "duckdb":
        return None
    credentials = DuckDbCredentials(_duckdb_file())
    # A second thread nearly doubles the processor time of an insert without making it faster.
    credentials.global_config = {"threads": 1}
    if fattest_page is not None:
        megabytes = LOADING_MEMORY_MB + LOADING_MEMORY_PER_PAGE * fattest_page // 1_000_000
        credentials.global_config["memory_limit"] = f"{megabytes}MB"
    return credentials


def _duckdb_file() -> str:
    return dlt.config.get("destination.duckdb.credentials", str) or DEFAULT_DUCKDB_FILE


def _pipelines_dir(warehouse: str, part: str) -> str:
    """One working folder per warehouse: packages fetched for one must never be loaded into another. And one per part:
    two runs that share a folder would load and delete each other's packages."""
    configured: str | None = dlt.config.get("pipelines_dir", str)
    folder = configured or os.path.join(WORKING_FOLDER, hashlib.sha256(warehouse.encode()).hexdigest()[:12])
    return os.path.join(folder, part) if part else folder


def _check_opens(pipeline: dlt.Pipeline) -> None:
    try:
        with pipeline.sql_client() as client:
            client.execute_sql("select 1")
    except (DestinationException, duckdb.Error) as error:
        reason = str(getattr(error, "inner_exc", error)).splitlines()[0]
        if "lock" in reason.lower():
            raise WarehouseBusyError(
                f"the warehouse is open in another process, try again when it is closed ({reason})"
            ) from None
        raise UsageError(f"the warehouse cannot be opened, check DESTINATION__DUCKDB__CREDENTIALS: {reason}") from None


@contextmanager
def only_run(pipeline: dlt.Pipeline) -> Iterator[None]:
    """Holds the pipeline's working folder, so that no two runs share it.

    Raises:
        WarehouseBusyError: another run holds it.
    """
    os.makedirs(pipeline.working_dir, exist_ok=True)
    with open(os.path.join(pipeline.working_dir, "run.lock"), "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WarehouseBusyError(
                f"another `dlt pipeline {pipeline.pipeline_name} run` is under way, try again when it has ended"
            ) from None
        yield


def completed_walks(pipeline: dlt.Pipeline) -> list[Stretch]:
    """Each completed walk with both bounds."""
    return _stretches(pipeline, "walks", "status = 'completed' and bound_from is not null and bound_to is not null")


def planned_windows(pipeline: dlt.Pipeline) -> list[Stretch]:
    """Each window that a run was going to read."""
    return _stretches(pipeline, "windows", "true")


def _stretches(pipeline: dlt.Pipeline, table: str, condition: str) -> list[Stretch]:
    """(resource, scope, from, to) of rows of committed loads.

    Read from the raw tables themselves: a backfill must resume before dbt has built anything.

    Args:
        condition: SQL; never built from outside text.
    """
    rows = raw_rows(
        pipeline,
        lambda name: (
            f"select resource, scope, bound_from, bound_to from {name(table)} where {condition} and {committed(name)}"
        ),
    )
    return [(resource, scope, utc(start), utc(end)) for resource, scope, start, end in rows or ()]


def committed(name: Naming) -> str:
    """SQL condition: the row's load was committed."""
    return f"_dlt_load_id in (select load_id from {name('_dlt_loads')} where status = 0)"


def utc(moment: datetime) -> datetime:
    """DuckDB's timestamps can come without a zone, BigQuery's with one; both are UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def public_schema() -> str:
    """Name of the schema, on BigQuery the dataset, of the public tables."""
    if dlt.config.get("destination.name", str) != "bigquery":
        return PUBLIC_SCHEMA
    return (dlt.config.get("destination.bigquery.dataset_prefix", str) or "") + PUBLIC_SCHEMA


def public_rows(
    pipeline: dlt.Pipeline, table: str, columns: tuple[str, ...], tail: str = "", *, layer: str = ""
) -> list[Any] | None:
    """Rows of a public table or view, or None where dbt has not built it yet.

    Args:
        tail: SQL after the from clause; never built from outside text.
        layer: `_intermediate` or `_staging` for a table of that layer instead.

    Raises:
        UsageError: it was built by a version of the models that has other columns.
    """
    if not has_warehouse(pipeline):
        return None
    with pipeline.sql_client() as client, client.with_alternative_dataset_name(public_schema() + layer) as public:
        relation = public.make_qualified_table_name(table)
        try:
            rows = public.execute_sql(f"select {', '.join(columns)} from {relation} {tail}")
        except DatabaseUndefinedRelation:
            return None
        except DatabaseTerminalException as error:
            reason = str(error).splitlines()[0]
            raise UsageError(f"{relation} is not as this version builds it, run `dbt build` first: {reason}") from None
        return list(rows or [])


def raw_rows(pipeline: dlt.Pipeline, write: Callable[[Naming], str]) -> list[Any] | None:
    """Rows of a query over raw tables, or None where one of these was never loaded into.

    Args:
        write: makes the query, never from outside text.
    """
    if not has_warehouse(pipeline):
        return None
    with pipeline.sql_client() as client:
        try:
            return list(client.execute_sql(write(client.make_qualified_table_name)) or [])
        except DatabaseUndefinedRelation:
            return None
