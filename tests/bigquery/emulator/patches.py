"""What BigQuery documents and local-bigquery 0.4.0 does not do, one function per behaviour.

They replace private functions, so the version is pinned. Each says what goes wrong without it; each has a test in
tests/bigquery/test_emulator.py that fails without it. Delete one when the emulator has learned it.
"""

from __future__ import annotations

import contextlib
import decimal
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
from local_bigquery.sql import native, rules, script
from local_bigquery.sql.rules import math, typing
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
def text_that_is_no_json_has_no_value() -> None:
    """`json_value` and its kin give null for text that is no JSON, and `json_query_array` for what is no array.

    Without it: "Malformed JSON at byte 0 of input", "Expected ARRAY, but got OBJECT".
    """

    def only_json(node: exp.Expression, context: Any) -> exp.Expression:
        extraction = node.this if isinstance(node, exp.Cast) else node
        if not isinstance(extraction, exp.JSONExtract | exp.JSONExtractScalar | exp.JSONExtractArray):
            return node
        text = exp.Cast(this=extraction.this.copy(), to=exp.DataType.build("VARCHAR"))
        holds = exp.Anonymous(this="json_valid", expressions=[text])
        found = node
        if node is extraction and typing.kind(extraction.this) is not exp.DataType.Type.JSON:
            # Of unknown type, such as a struct's field. Text is far more likely, and what is found in text is text.
            is_array = isinstance(extraction, exp.JSONExtractArray)
            found = exp.cast(node, "VARCHAR[]" if is_array else "VARCHAR")
        if isinstance(extraction, exp.JSONExtractArray):
            path = extraction.expression.copy() if extraction.expression else exp.Literal.string("$")
            kind = exp.Anonymous(this="json_type", expressions=[text.copy(), path])
            found = exp.Case(ifs=[exp.If(this=kind.eq("ARRAY"), true=found)])
        # Nested cases, because DuckDB may evaluate both sides of an `and`.
        guarded = exp.Case(ifs=[exp.If(this=holds, true=found)])
        guarded.type = node.type
        return guarded

    rules.NODE_RULES.append(only_json)


@patch
def an_underscore_is_no_part_of_a_number() -> None:
    """`safe_cast('1_000' as int64)` is null. DuckDB reads a thousand."""
    numbers = exp.DataType.NUMERIC_TYPES

    def without_underscore(node: exp.Expression, context: Any) -> exp.Expression:
        if isinstance(node, exp.TryCast) and node.to.this in numbers and typing.kind(node.this) not in numbers:
            text = exp.cast(node.this.copy(), "VARCHAR")
            is_plain = exp.not_(exp.Anonymous(this="contains", expressions=[text, exp.Literal.string("_")]))
            node.set("this", exp.Case(ifs=[exp.If(this=is_plain, true=node.this)]))
        return node

    rules.NODE_RULES.append(without_underscore)


@patch
def safe_offsets_count_from_0() -> None:
    """`array[safe_offset(n)]` with an n of any kind. Where its type is not known the emulator counts from 1."""

    def element(tree: exp.Expression, context: Any) -> exp.Expression:
        for bracket in list(tree.find_all(exp.Bracket)):
            if bracket.args.get("safe") and bracket.args.get("offset") in (0, 1):
                [index] = bracket.expressions
                place = exp.cast(index.copy(), "BIGINT") + (1 - bracket.args["offset"])
                found = exp.Anonymous(this="list_extract", expressions=[bracket.this.copy(), exp.paren(place)])
                # A negative place is not one from the end.
                bracket.replace(exp.Case(ifs=[exp.If(this=exp.paren(place.copy()) > 0, true=found)]))
        return tree

    rules.STATEMENT_RULES.insert(0, element)


@patch
def an_unnested_struct_hides_columns_of_its_name() -> None:
    """`from markets, unnest(…) as outcomes`: `outcomes.name` is the struct's, though markets has a column of that name.

    Without it: "Ambiguous reference to column name".
    """

    def rename(tree: exp.Expression, context: Any) -> exp.Expression:
        for number, unnest in enumerate(list(tree.find_all(exp.Unnest))):
            alias, select = unnest.args.get("alias"), unnest.parent_select
            # With a position the emulator makes it a table of its own.
            if not alias or not alias.columns or unnest.args.get("offset") or select is None:
                continue
            [name] = alias.columns
            fields = [column for column in select.find_all(exp.Column) if column.table == name.name]
            if fields:
                own_name = exp.to_identifier(f"{name.name}_unnested_{number}")
                alias.set("columns", [own_name])
                for column in fields:
                    column.set("table", own_name.copy())
        return tree

    rules.STATEMENT_RULES.insert(0, rename)


@patch
def types_are_known_through_stars() -> None:
    """The type of a column that came by way of `*`. The emulator's rules that go by type pass over it otherwise."""
    qualify, transfer = typing.qualify, typing._transfer

    def qualify_stars(*arguments: Any, **options: Any) -> Any:
        return qualify(*arguments, **options | {"expand_stars": True})

    def transfer_by_name(original: exp.Expression, copy: exp.Expression) -> None:
        has_star = isinstance(original, exp.Select) and original.is_star
        if not has_star or not isinstance(copy, exp.Select):
            return transfer(original, copy)
        expanded = {column.alias_or_name: column for column in copy.expressions}
        for column in original.expressions:
            if column.alias_or_name in expanded and not column.is_star:
                transfer_by_name(column, expanded[column.alias_or_name])
        for key, value in original.args.items():
            other = copy.args.get(key)
            if key == "expressions":
                continue
            for item, match in zip(_listed(value), _listed(other), strict=False):
                transfer_by_name(item, match)
        return None

    typing.qualify = qualify_stars
    # The emulator's own function calls itself by this name, so that each select comes here.
    typing._transfer = transfer_by_name


def _listed(value: Any) -> list[exp.Expression]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, exp.Expression)]


@patch
def decimals_are_multiplied_and_divided_exactly() -> None:
    """NUMERIC keeps 9 decimals and BIGNUMERIC many, rounded half away from zero.

    Without it decimals are divided as floats, and a product of two with many digits is an "Integer Overflow". What is
    left undone: BIGNUMERIC keeps 18 decimals here, and 20 digits before the point.
    """
    native.FUNCTIONS |= {
        name: (function, ["VARCHAR", "VARCHAR"], result)
        for name, function, result in (
            ("_numeric_times", _times(9), "DECIMAL(38, 9)"),
            ("_numeric_over", _over(9), "DECIMAL(38, 9)"),
            ("_bignumeric_times", _times(18), "DECIMAL(38, 18)"),
            ("_bignumeric_over", _over(18), "DECIMAL(38, 18)"),
        )
    }
    operators = {exp.Mul: "times", exp.Div: "over"}
    big = exp.DataType.Type.BIGDECIMAL

    def exactly(node: exp.Expression, context: Any) -> exp.Expression:
        if type(node) not in operators:
            return node
        # A cast's own type, if it is one of these, has been rewritten by now; what it was stands beside it.
        kinds = {side.type.this for side in (node.this, node.expression) if side.type}
        if not kinds & typing.DECIMALS.keys() or kinds & set(typing.FLOATS):
            return node
        is_big = big in kinds
        texts = [exp.cast(side, "VARCHAR") for side in (node.this, node.expression)]
        name = f"_{'bignumeric' if is_big else 'numeric'}_{operators[type(node)]}"
        result = exp.Anonymous(this=name, expressions=texts)
        result.type = exp.DataType.build("BIGDECIMAL" if is_big else "DECIMAL")
        return result

    # Before the emulator's own rules for types of decimals, which would leave nothing to tell them by.
    rules.NODE_RULES.insert(rules.NODE_RULES.index(math.decimal_type), exactly)


#: Enough digits for any product of two BIGNUMERIC.
_DIGITS = decimal.Context(prec=160, rounding=decimal.ROUND_HALF_UP)


def _times(scale: int) -> Callable[[str, str], decimal.Decimal]:
    unit = decimal.Decimal(1).scaleb(-scale)
    return lambda left, right: _DIGITS.quantize(_DIGITS.multiply(decimal.Decimal(left), decimal.Decimal(right)), unit)


def _over(scale: int) -> Callable[[str, str], decimal.Decimal]:
    unit = decimal.Decimal(1).scaleb(-scale)

    def divide(left: str, right: str) -> decimal.Decimal:
        if not decimal.Decimal(right):
            raise ValueError(f"division by zero: {left} / {right}")
        return _DIGITS.quantize(_DIGITS.divide(decimal.Decimal(left), decimal.Decimal(right)), unit)

    return divide


def delay_jobs(seconds: float) -> None:
    """Jobs stay RUNNING for a while. Without it every job is done before the first poll, and no polling is tested."""
    execute = runner._execute
    runner.SUBMIT_WAIT_MS = 0

    def execute_late(*arguments: Any) -> None:
        time.sleep(seconds)
        execute(*arguments)

    runner._execute = execute_late
