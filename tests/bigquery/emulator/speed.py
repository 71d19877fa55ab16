"""Look-ups of the emulator, asked of DuckLake's own tables, and once.

Each statement asks several times what tables and columns there are. The emulator asks DuckDB, which after every change
reads the whole catalogue anew, and binds a view to all that it stands on: more than half of the time of a `dbt build`.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import duckdb
from local_bigquery.catalog import tables
from local_bigquery.engine import database
from local_bigquery.engine.database import quote


def apply() -> None:
    objects, fetch, columns = database.objects, database.fetch, tables.columns
    known: dict[tuple[str, str, str], tuple[int, list[Any]]] = {}
    # DuckDB looks for it at every statement, and does not remember that it is not there.
    if importlib.util.find_spec("pandas") is None:
        sys.modules["pandas"] = None

    def objects_of_ducklake(project: str, dataset: str, table: str | None = None) -> list[tuple[str, str, int]]:
        if not _is_ducklake(project):
            return _result(dataset, table) if table else list(objects(project, dataset, table))
        lake = quote(f"__ducklake_metadata_{project}")
        return list(
            fetch(
                f"""
                select tables.table_name, 'TABLE', coalesce(stats.record_count, 0)
                from {lake}.ducklake_table as tables
                inner join {lake}.ducklake_schema as schemas on tables.schema_id = schemas.schema_id
                left join {lake}.ducklake_table_stats as stats on tables.table_id = stats.table_id
                where
                    tables.end_snapshot is null and schemas.end_snapshot is null and schemas.schema_name = $1
                    and tables.table_name = coalesce($2, tables.table_name)
                union all
                select views.view_name, 'VIEW', 0
                from {lake}.ducklake_view as views
                inner join {lake}.ducklake_schema as schemas on views.schema_id = schemas.schema_id
                where
                    views.end_snapshot is null and schemas.end_snapshot is null and schemas.schema_name = $1
                    and views.view_name = coalesce($2, views.view_name)
                order by 1
                """,
                [dataset, table],
            )
        )

    def fetch_columns(sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Answers the two questions about columns, which are required and whether one is there, from DuckLake; all
        others as before."""
        is_required = sql.startswith("SELECT column_name FROM duckdb_columns()")
        if not parameters or not (is_required or sql.startswith("SELECT 1 FROM duckdb_columns()")):
            return list(fetch(sql, parameters))
        project, dataset, table, *named = parameters
        if not _is_ducklake(project):
            # A result of a query: none of its columns is required, or of loading.
            return []
        condition = "not columns.nulls_allowed" if is_required else "columns.column_name = $3"
        lake = quote(f"__ducklake_metadata_{project}")
        return list(
            fetch(
                f"""
                select columns.column_name
                from {lake}.ducklake_column as columns
                inner join {lake}.ducklake_table as tables on columns.table_id = tables.table_id
                inner join {lake}.ducklake_schema as schemas on tables.schema_id = schemas.schema_id
                where
                    columns.end_snapshot is null and tables.end_snapshot is null and schemas.end_snapshot is null
                    and columns.parent_column is null and {condition}
                    and schemas.schema_name = $1 and tables.table_name = $2
                """,
                [dataset, table, *named],
            )
        )

    def columns_once(project: str, dataset: str, table: str) -> list[Any]:
        """As long as no table of the project was made, changed or dropped."""
        if not _is_ducklake(project) or dataset == tables.RESULTS:
            return list(columns(project, dataset, table))
        [(version,)] = fetch(
            f"select max(schema_version) from {quote(f'__ducklake_metadata_{project}')}.ducklake_snapshot"
        )
        before, found = known.get((project, dataset, table), (None, []))
        if before != version:
            found = columns(project, dataset, table)
            known[project, dataset, table] = version, found
        return list(found)

    tables.columns = columns_once
    database.objects = objects_of_ducklake
    database.fetch = fetch_columns


def _is_ducklake(project: str) -> bool:
    # Results of queries lie in plain DuckDB.
    return project in database._attached


def _result(dataset: str, table: str) -> list[tuple[str, str, int]]:
    try:
        [(rows,)] = database.fetch(f"select count(*) from {quote('emulator', dataset, table)}")
    except duckdb.CatalogException:
        return []
    return [(table, "TABLE", rows)]
