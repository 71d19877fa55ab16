"""Two warehouses of one raw history, BigQuery's and DuckDB's, and what differs between their public tables."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import yaml
from google.cloud import bigquery

from tests.bigquery.warehouse import BigQueryWarehouse
from tests.conftest import ROOT
from tests.warehouse.conftest import WITHOUT_TESTS, Warehouse

RELATIVE = 1e-12
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
Row = dict[str, Any]


def public_tables() -> dict[str, str]:
    """Name and folder of each."""
    files = (ROOT / "models" / "marts").rglob("*.yml")
    return dict(
        (model["name"], path.parent.name)
        for path in files
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models", [])
    )


@dataclass(frozen=True)
class Twins:
    """The same raw tables, two engines. `venues` are venues of prices that are built, too."""

    bigquery: BigQueryWarehouse
    duckdb: Warehouse
    venues: tuple[str, ...] = ()

    @property
    def variables(self) -> tuple[str, str]:
        return "--vars", json.dumps({"price_venues": self.venues})

    def copy_raw(self) -> None:
        """Makes DuckDB's raw tables what BigQuery's are."""
        with self.bigquery.client() as client, duckdb.connect(self.duckdb.project.warehouse) as file:
            for dataset in (f"raw_{venue}" for venue in ("polymarket", *self.venues)):
                file.execute(f"create schema if not exists {dataset}")
                for name in (f"{dataset}.{table.table_id}" for table in client.list_tables(dataset)):
                    rows = client.query_and_wait(f"select * from {name}").to_arrow(create_bqstorage_client=False)
                    file.register("copied", rows)
                    file.execute(f"create or replace table {name} as select * from copied")
                    file.unregister("copied")

    def build(self, *arguments: str, on_duckdb: Sequence[str] = WITHOUT_TESTS) -> None:
        """`dbt build` on both, at once; DuckDB's tests are run elsewhere."""
        self.copy_raw()
        with ThreadPoolExecutor(2) as both:
            results = [
                both.submit(self.bigquery.build, *self.variables, *arguments),
                both.submit(self.duckdb.build, *self.variables, *on_duckdb),
            ]
        for result in results:
            result.result()

    def assert_same(self) -> None:
        wrong = {
            table: difference
            for table, folder in public_tables().items()
            # Where no venue of prices is read, there is nothing to match.
            if (self.venues or folder != "matches")
            and (difference := differences(self.bigquery.rows(table), self.duckdb.rows(table)))
        }
        assert not wrong, "\n".join(f"{table}:\n{text}" for table, text in wrong.items())

    # -- what happens to raw tables, as later loads would bring it

    def hide_loads_but(self, count: int) -> list[str]:
        """Makes all loads uncommitted but `count`, of which none is the oldest; returns the hidden ones, newest first:
        committed in this order, each comes after all those that began after it."""
        loads = [
            row["load_id"] for row in self.bigquery.query("select load_id from raw_polymarket._dlt_loads order by 1")
        ]
        hidden = [*reversed(loads[count + 1 :]), loads[0]]
        self._set_status(1, hidden)
        return hidden

    def commit(self, loads: list[str]) -> None:
        self._set_status(0, loads)

    def _set_status(self, status: int, loads: list[str]) -> None:
        names = ", ".join(f"'{load}'" for load in loads)
        self.bigquery.query(f"update raw_polymarket._dlt_loads set status = {status} where load_id in ({names})")

    def raw(self, table: str, where: str = "true") -> list[Row]:
        return self.bigquery.query(f"select * from raw_polymarket.{table} where {where}")

    def append(self, load_id: str, **rows: list[Row]) -> None:
        """Loads rows into raw tables, by name, as one committed load."""
        stamp = {"_dlt_load_id": load_id}
        load = {"load_id": load_id, "schema_name": "polymarket", "status": 0, "inserted_at": datetime.now(UTC)}
        with self.bigquery.client() as client:
            for table, items in [*rows.items(), ("_dlt_loads", [load])]:
                target = client.get_table(f"raw_polymarket.{table}")
                stamped = [row if table == "_dlt_loads" else row | stamp for row in items]
                config = bigquery.LoadJobConfig(schema=target.schema, write_disposition="WRITE_APPEND")
                client.load_table_from_json([_json(row) for row in stamped], target, job_config=config).result()


def _json(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def differences(bigquery_rows: list[Row], duckdb_rows: list[Row]) -> str:
    """Empty where both hold the same rows: floats to a relative 1e-12, everything else exactly."""
    ours, theirs = _grouped(bigquery_rows), _grouped(duckdb_rows)
    texts = [f"  only BigQuery: {dict(key)}" for key in ours.keys() - theirs.keys()][:3]
    texts += [f"  only DuckDB:   {dict(key)}" for key in theirs.keys() - ours.keys()][:3]
    for key in ours.keys() & theirs.keys():
        if len(ours[key]) != len(theirs[key]):
            texts.append(f"  {len(ours[key])} times on BigQuery, {len(theirs[key])} on DuckDB: {dict(key)}")
        for one, other in zip(sorted(ours[key], key=repr), sorted(theirs[key], key=repr), strict=False):
            texts += [
                f"  {name}: {one[name]!r} and {other[name]!r} of {dict(key)}"
                for name in one
                if not math.isclose(one[name], other[name], rel_tol=RELATIVE)
            ]
    return "\n".join(texts[:8])


def _grouped(rows: list[Row]) -> dict[frozenset[tuple[str, Any]], list[dict[str, float]]]:
    """The rows' floats by everything else in them."""
    groups: dict[frozenset[tuple[str, Any]], list[dict[str, float]]] = defaultdict(list)
    for row in rows:
        floats = {name: value for name, value in row.items() if isinstance(value, float)}
        exact = frozenset((name, _plain(value)) for name, value in row.items() if name not in floats)
        groups[exact].append(floats)
    return groups


def _plain(value: Any) -> Any:
    """Equal values in one form: no trailing zeros, moments in UTC, arrays as tuples (BigQuery has no null array)."""
    if isinstance(value, Decimal):
        return value.normalize() if value else Decimal(0)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, list):
        return tuple(map(_plain, value)) or None
    if value is None or isinstance(value, str | int | date):
        return value
    raise TypeError(f"a column of {type(value).__name__}")
