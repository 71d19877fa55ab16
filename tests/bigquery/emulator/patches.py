"""What BigQuery documents and local-bigquery 0.4.0 does not do, one function per behaviour.

They replace private functions, so the version is pinned. Each says what goes wrong without it; each has a test in
tests/bigquery/test_emulator.py that fails without it. Delete one when the emulator has learned it.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

from local_bigquery.api import jobs as api_jobs
from local_bigquery.api import uploads
from local_bigquery.catalog import names, tables
from local_bigquery.errors import BigQueryError
from local_bigquery.jobs import copy, load, query, runner
from local_bigquery.sql import rules, script
from sqlglot import exp

Patch = Callable[[], None]
PATCHES: list[Patch] = []

Reference = tuple[str, str, str]


def patch(function: Patch) -> Patch:
    PATCHES.append(function)
    return function


def apply() -> None:
    for function in PATCHES:
        function()


@patch
def created_tables_are_named_by_their_job() -> None:
    """jobs.get of a `create table as select` names the table as the job's destination, and its result has no rows.

    Without it dbt, which reads the new table's size, fails on every table: "'NoneType' object has no attribute 'path'".
    """
    execute, results = query._execute, api_jobs.results

    def execute_and_name(*arguments: Any, **options: Any) -> Any:
        statistics, children, destination = execute(*arguments, **options)
        if destination is None and statistics.statementType == "CREATE_TABLE_AS_SELECT":
            destination = statistics.ddlTargetTable
        return statistics, children, destination

    def results_without_the_table(job: Any, *arguments: Any) -> Any:
        statistics = job.statistics and job.statistics.query
        if statistics and statistics.statementType == "CREATE_TABLE_AS_SELECT":
            nameless = job.configuration.query.without("destinationTable")
            job = job.replace(configuration=job.configuration.replace(query=nameless))
        return results(job, *arguments)

    query._execute = execute_and_name
    api_jobs.results = results_without_the_table


@patch
def variables_are_set_from_a_struct() -> None:
    """`set (a, b) = (select as struct …)` of a script. dbt replaces partitions with it: "Undeclared variable"."""
    assignment = re.compile(r"\s*set\s*\(([^()]+)\)\s*=\s*\(\s*select\s+as\s+struct\b(.*)\)\s*", re.I | re.S)
    set_variables = script.Interpreter.set

    def set_each(self: Any, statement: Any) -> None:
        match = assignment.fullmatch(statement.text)
        if match is None:
            return set_variables(self, statement)
        targets = [name.strip() for name in match[1].split(",")]
        # What `select as struct` gives is one row; a table of it is read once per variable.
        rows = script._temporary_table("struct")
        tree = script.sqlglot.parse_one(f"select {match[2]}", dialect=script.BigQueryDialect)
        select, bound = script.translate(tree, self.context)
        self.cursor.execute(f"create temp table {rows} as {select}", bound)
        columns = self.cursor.sql(f"select * from {rows}").columns
        for target, column in zip(targets, columns, strict=True):
            quoted = column.replace('"', '""')
            self.cursor.execute(f'update {self.variable(target)} set {script.VALUE} = (select "{quoted}" from {rows})')
        return None

    script.Interpreter.set = set_each


@patch
def uploads_may_be_compressed() -> None:
    """A load file in gzip is recognised by its first bytes. dlt compresses JSON lines: "Malformed JSON"."""
    run = load.run

    def run_decompressed(cursor: Any, config: Any, upload: str | None) -> Any:
        if upload:
            with open(upload, "rb") as file:
                is_gzip = file.read(2) == b"\x1f\x8b"
            if is_gzip:
                with gzip.open(upload, "rb") as packed, open(f"{upload}.raw", "wb") as plain:
                    shutil.copyfileobj(packed, plain)
                os.replace(f"{upload}.raw", upload)
        return run(cursor, config, upload)

    load.run = run_decompressed
    runner.HANDLERS["load"] = run_decompressed


@patch
def scripts_may_end_their_session() -> None:
    """`…; call bq.abort_session()` at a script's end. dlt ends its transactions so: "Procedure not found"."""
    tail = re.compile(r";\s*call\s+bq\.abort_session\s*\(\s*\)\s*;?\s*$", re.I)
    run = runner._query

    def run_and_end(job: Any, session: Any, running: Any) -> Any:
        text = job.configuration.query.query or ""
        if session is None or not tail.search(text):
            return run(job, session, running)
        job.configuration.query.query = tail.sub("", text)
        try:
            return run(job, session, running)
        finally:
            runner.sessions.abort(session.id)

    runner._query = run_and_end


@patch
def a_lone_value_is_a_list_of_one() -> None:
    """`schemaUpdateOptions: "…"` in place of a list. dlt sends it to detect schemas: "should be a valid array"."""
    parse = uploads._job

    def parse_lone(payload: bytes) -> Any:
        body = json.loads(payload)
        options = body.get("configuration", {}).get("load", {})
        if isinstance(options.get("schemaUpdateOptions"), str):
            options["schemaUpdateOptions"] = [options["schemaUpdateOptions"]]
        return parse(json.dumps(body).encode())

    uploads._job = parse_lone


@patch
def partitions_can_be_addressed() -> None:
    """`table$20260102` as the destination of loads and copies. dbt copies partitions: "Not found: Table …$20260102"."""
    write, columns, source = tables.write, tables.columns, copy._source

    def write_partition(
        cursor: Any,
        sql: str,
        parameters: Any,
        reference: Reference,
        config: Any,
        default: str = "WRITE_EMPTY",
        prefix: str = "Invalid schema update. ",
        isolated: bool = False,
    ) -> bool:
        partition = _partition(reference)
        if partition is None:
            return bool(write(cursor, sql, parameters, reference, config, default, prefix, isolated))
        table, where, name = partition
        query_ = f"select count(*) from ({sql}) where ({where}) is not true"
        [(strangers,)] = cursor.sql(query_, params=parameters).fetchall()
        if strangers:
            raise BigQueryError(
                "invalid", f"Some rows belong to different partitions rather than destination partition {name}"
            )
        target, disposition = tables.name(*table), config.writeDisposition or default
        with tables.database.writing(*table), _transaction(cursor):
            if disposition == "WRITE_TRUNCATE":
                cursor.execute(f"delete from {target} where {where}")
            elif disposition == "WRITE_EMPTY":
                if cursor.sql(f"select 1 from {target} where {where} limit 1").fetchall():
                    raise tables.already_exists("Table", names.label(*reference))
            cursor.execute(f"insert into {target} by name {sql}", parameters)
        return False

    def columns_of_whole(*reference: str) -> Any:
        partition = _partition(reference)
        return columns(*(partition[0] if partition else reference))

    def source_partition(reference: Reference) -> Any:
        partition = _partition(reference)
        return f"(select * from {tables.name(*partition[0])} where {partition[1]})" if partition else source(reference)

    tables.write = write_partition
    tables.columns = columns_of_whole
    copy._source = source_partition


#: strftime formats of a partition's name by its length: years, months, days, hours.
UNITS = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H"}


def _partition(reference: Any) -> tuple[Reference, str, str] | None:
    """(table, condition of the partition's rows, its name) of a decorated table name."""
    match = re.fullmatch(r"(.+)\$(\d{4}|\d{6}|\d{8}|\d{10})", reference[2])
    if match is None:
        return None
    table = (reference[0], reference[1], match[1])
    layout = tables.load(*table).timePartitioning
    if not layout or not layout.field:
        raise BigQueryError("invalid", f"Cannot address a partition of {names.label(*table)}")
    column = tables.quote(layout.field)
    return table, f"strftime({column}, '{UNITS[len(match[2])]}') = '{match[2]}'", match[2]


@contextlib.contextmanager
def _transaction(cursor: Any) -> Iterator[None]:
    cursor.execute("begin")
    try:
        yield
    except BaseException:
        cursor.execute("rollback")
        raise
    cursor.execute("commit")


@patch
def what_is_no_json_array_has_no_elements() -> None:
    """`json_query_array` of text that holds no JSON array is null, not "Expected ARRAY, but got OBJECT"."""

    def only_arrays(node: exp.Expression, context: Any) -> exp.Expression:
        extraction = node.this if isinstance(node, exp.Cast) else node
        if not isinstance(extraction, exp.JSONExtractArray):
            return node
        text = exp.Cast(this=extraction.this.copy(), to=exp.DataType.build("VARCHAR"))
        path = extraction.expression.copy() if extraction.expression else exp.Literal.string("$")
        kind = exp.Anonymous(this="json_type", expressions=[text, path])
        # Nested, because DuckDB may ask for the type of what is no JSON in a plain `and`.
        is_array = exp.Case(
            ifs=[exp.If(this=exp.Anonymous(this="json_valid", expressions=[text.copy()]), true=kind.eq("ARRAY"))]
        )
        return exp.Case(ifs=[exp.If(this=is_array, true=node)])

    rules.NODE_RULES.append(only_arrays)


def delay_jobs(seconds: float) -> None:
    """Jobs stay RUNNING for a while. Without it every job is done before the first poll, and no polling is tested."""
    execute = runner._execute
    runner.SUBMIT_WAIT_MS = 0

    def execute_late(*arguments: Any) -> None:
        time.sleep(seconds)
        execute(*arguments)

    runner._execute = execute_late
