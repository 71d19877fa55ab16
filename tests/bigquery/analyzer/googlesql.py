"""Google's own SQL analyzer and its reference implementation, as one object that knows a catalogue of tables."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import metadata
from pathlib import Path
from typing import Any

import wasmtime
import zetasql.types as zt
from google.protobuf import empty_pb2
from zetasql.api import TypeFactory
from zetasql.core import ServerError, ZetaSqlLocalService, wasm_client
from zetasql.wasi import get_wasm_path
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2

#: What GoogleSQL can and BigQuery cannot; the DuckDB-like of these would otherwise pass.
NOT_IN_BIGQUERY = (
    "AGGREGATE_FILTERING",
    "ARRAY_EQUALITY",
    "ARRAY_FIND_FUNCTIONS",
    "ARRAY_ORDERING",
    "ARRAY_ZIP",
    "CBRT_FUNCTIONS",
    "DML_RETURNING",
    "ENABLE_MEASURES",
    "FIRST_AND_LAST_N",
    "FOR_UPDATE",
    "GROUP_BY_ARRAY",
    "GROUP_BY_STRUCT",
    "INLINE_LAMBDA_ARGUMENT",
    "INSERT_ON_CONFLICT_CLAUSE",
    "LATERAL_JOIN",
    "MULTILEVEL_AGGREGATION",
    "MULTIWAY_UNNEST",
    "NULLIFZERO_ZEROIFNULL",
    "PI_FUNCTIONS",
    "TIMESTAMP_NANOS",
    "TIMESTAMP_PICOS",
    "UUID_TYPE",
)
#: GoogleSQL can, BigQuery cannot.
SIZED_CAST = re.compile(r"\bas\s+(?:big)?(?:numeric|decimal|string|bytes)\s*\(\s*\d", re.IGNORECASE)
#: BigQuery's name of each type, as its API and its DDL spell it.
NAMES = {
    zt.TypeKind.TYPE_INT64: "INTEGER",
    zt.TypeKind.TYPE_BOOL: "BOOLEAN",
    zt.TypeKind.TYPE_DOUBLE: "FLOAT",
    zt.TypeKind.TYPE_STRING: "STRING",
    zt.TypeKind.TYPE_BYTES: "BYTES",
    zt.TypeKind.TYPE_DATE: "DATE",
    zt.TypeKind.TYPE_TIMESTAMP: "TIMESTAMP",
    zt.TypeKind.TYPE_DATETIME: "DATETIME",
    zt.TypeKind.TYPE_TIME: "TIME",
    zt.TypeKind.TYPE_NUMERIC: "NUMERIC",
    zt.TypeKind.TYPE_BIGNUMERIC: "BIGNUMERIC",
    zt.TypeKind.TYPE_JSON: "JSON",
}
KINDS = {name: kind for kind, name in NAMES.items()} | {
    "INT64": zt.TypeKind.TYPE_INT64,
    "BOOL": zt.TypeKind.TYPE_BOOL,
    "FLOAT64": zt.TypeKind.TYPE_DOUBLE,
}
#: What datasets tell of themselves, as far as it is asked for.
INFORMATION_SCHEMA = {
    "TABLES": ("table_catalog", "table_schema", "table_name", "table_type"),
    "TABLE_OPTIONS": (
        "table_catalog",
        "table_schema",
        "table_name",
        "option_name",
        "option_type",
        "option_value",
    ),
    "COLUMNS": ("table_catalog", "table_schema", "table_name", "column_name", "data_type"),
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: A column as the REST API tells it: name, type, mode, fields.
Field = dict[str, Any]


class Refused(Exception):
    """BigQuery would refuse the statement; the text says why."""


@dataclass(frozen=True)
class Judged:
    """A statement that BigQuery would take.

    `kind` is the analyzer's name of the statement (`QueryStmt`, `MergeStmt`, …), `columns` what it gives or writes.
    """

    kind: str
    columns: list[Field]


@dataclass
class GoogleSQL:
    """The analyzer with a catalogue: `tables` maps `project.dataset.table` to its columns. One per process: it takes
    a gigabyte while it compiles, and is safe to call from several threads, one after another.

    `cache` is a folder in which the compiled analyzer is kept; compiling it takes ten seconds.
    """

    cache: Path
    tables: dict[str, list[Field]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[bytes, Judged] = {}
        self._service = service(self.cache)
        language = self._service.get_language_options(maximum_features=True)
        off = {getattr(zt.LanguageFeature, f"FEATURE_{name}") for name in NOT_IN_BIGQUERY}
        language.enabled_language_features = [one for one in language.enabled_language_features if one not in off]
        language.product_mode = zt.ProductMode.PRODUCT_EXTERNAL
        language.reserved_keywords = ["QUALIFY"]
        language.supported_statement_kinds = []
        # BigQuery's session is in UTC; the analyzer's own default is Los Angeles.
        self._options = zt.AnalyzerOptions(language_options=language, default_timezone="UTC").to_proto()
        self._builtins = zt.ZetaSQLBuiltinFunctionOptions(language_options=language).to_proto()

    def analyze(self, sql: str) -> Judged:
        """Names and types of one statement against the catalogue; one that was taken before, with the same tables, is
        taken again.

        Raises: Refused.
        """
        text = plain(sql)
        request = local_service_pb2.AnalyzeRequest(sql_statement=text, options=self._options)
        self._add_catalog(request, text)
        question = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
        if question not in self._taken:
            self._taken[question] = self._judge(request)
        return self._taken[question]

    def _judge(self, request: Any) -> Judged:
        node = self._call("Analyze", request, local_service_pb2.AnalyzeResponse).resolved_statement
        # Kinds of statements are nested in one another, and each holds its parent's fields in a field of its own.
        while "node" in node.DESCRIPTOR.oneofs_by_name:
            node = getattr(node, node.WhichOneof("node"))
        kind = type(node).__name__.removeprefix("Resolved").removesuffix("Proto")
        if written := inherited(node, "column_definition_list"):
            return Judged(kind, [to_field(column.name, column.type) for column in written])
        output = inherited(node, "output_column_list")
        return Judged(kind, [to_field(one.name or f"f{place}_", one.column.type) for place, one in enumerate(output)])

    def evaluate(self, sql: str) -> tuple[list[Field], list[list[Any]]]:
        """Columns and rows of a query, by the reference implementation; every table of the catalogue is empty.

        Raises: Refused, also for what fails only while it runs (a division by zero, a cast).
        """
        text = plain(sql)
        request = local_service_pb2.PrepareQueryRequest(sql=text, options=self._options)
        self._add_catalog(request, text)
        for table in request.simple_catalog.table:
            request.table_content[table.name].table_data.SetInParent()
        prepared = self._call("PrepareQuery", request, local_service_pb2.PrepareQueryResponse).prepared
        try:
            run = local_service_pb2.EvaluateQueryRequest(prepared_query_id=prepared.prepared_query_id)
            rows = self._call("EvaluateQuery", run, local_service_pb2.EvaluateQueryResponse).content.table_data.row
        finally:
            undo = local_service_pb2.UnprepareQueryRequest(prepared_query_id=prepared.prepared_query_id)
            self._call("UnprepareQuery", undo, empty_pb2.Empty)
        kinds = [column.type for column in prepared.columns]
        return (
            [to_field(one.name or f"f{place}_", one.type) for place, one in enumerate(prepared.columns)],
            [[to_python(value, kind) for value, kind in zip(row.cell, kinds, strict=True)] for row in rows],
        )

    def _call(self, name: str, request: Any, response: Any) -> Any:
        with self._lock:
            try:
                return self._service.wasm_client.call_grpc_func(f"ZetaSqlLocalService_{name}", request, response)
            except ServerError as error:
                raise Refused(message(error)) from error

    def _add_catalog(self, request: Any, text: str) -> None:
        """The tables that the statement can mean: a catalogue goes over whole with each request."""
        request.simple_catalog.name = "bigquery"
        request.simple_catalog.builtin_function_options.CopyFrom(self._builtins)
        known = list(self.tables.items())
        for name, view in set(re.findall(r"`([\w.-]+\.INFORMATION_SCHEMA\.(\w+))`", text)):
            columns = INFORMATION_SCHEMA.get(view, ())
            known.append((name, [{"name": column, "type": "STRING"} for column in columns]))
        for name, fields in known:
            if name in text:
                table = request.simple_catalog.table.add(name=name)
                for one in fields:
                    table.column.add(name=one["name"], type=to_type(one).to_proto(), is_writable_column=True)


def inherited(node: Any, name: str) -> list[Any]:
    """A repeated field of a resolved statement or of what it is a kind of; empty where it has none."""
    while name not in node.DESCRIPTOR.fields_by_name:
        if "parent" not in node.DESCRIPTOR.fields_by_name:
            return []
        node = node.parent
    return list(getattr(node, name))


def service(cache: Path) -> ZetaSqlLocalService:
    """The analyzer, compiled to machine code once per version of it and of its runtime."""

    class Compiled:
        @staticmethod
        def from_file(engine: wasmtime.Engine, path: str) -> wasmtime.Module:
            versions = f"{metadata.version('zetasql')}-{metadata.version('wasmtime')}-{os.uname().machine}"
            kept = cache / f"zetasql-{hashlib.sha256(versions.encode()).hexdigest()[:16]}.cwasm"
            if not kept.exists():
                cache.mkdir(parents=True, exist_ok=True)
                partial = kept.with_suffix(f".{os.getpid()}")
                partial.write_bytes(wasmtime.Module.from_file(engine, path).serialize())
                partial.replace(kept)
            return wasmtime.Module.deserialize_file(engine, str(kept))

    class Client(wasm_client.WasmClient):
        # The package copies byte by byte, which takes longer than the analysis.
        def write_bytes(self, ptr: int, data: bytes) -> None:
            ctypes.memmove(self._address() + ptr, data, len(data))

        def read_bytes(self, ptr: int, size: int) -> bytes:
            return ctypes.string_at(self._address() + ptr, size)

        def _address(self) -> int:
            return ctypes.addressof(self.memory.data_ptr().contents)

    made = ZetaSqlLocalService.__new__(ZetaSqlLocalService)
    original = wasm_client.Module
    wasm_client.Module = Compiled
    try:
        made.wasm_client = Client(wasm_path=str(get_wasm_path()))
    finally:
        wasm_client.Module = original
    return made


def plain(sql: str) -> str:
    """The statement as the analyzer can read it: names of tables in one pair of quotes, and functions that BigQuery
    documents as another spelling of one that the analyzer knows in that other spelling.

    Raises: Refused.
    """
    text = re.sub(r"`([\w-]+)`\.`([\w-]+)`\.`([\w-]+)`", r"`\1.\2.\3`", sql.strip().rstrip(";"))
    text = re.sub(r"`([\w-]+)`\.`([\w-]+)`\.(INFORMATION_SCHEMA\.\w+)", r"`\1.\2.\3`", text)
    if SIZED_CAST.search(text):
        raise Refused("Parameterized types are not allowed in CAST expressions.")
    return spelled_out(text, "max_by", "max") if "max_by" in text else text


def spelled_out(text: str, function: str, word: str) -> str:
    """`max_by(x, y)` is `any_value(x having max y)`, by BigQuery's own documentation."""
    while (found := re.search(rf"\b{function}\s*\(", text, re.IGNORECASE)) is not None:
        depth, comma, place = 1, None, found.end()
        while depth:
            sign = text[place]
            depth += {"(": 1, ")": -1}.get(sign, 0)
            if sign == "," and depth == 1:
                comma = place
            place += 1
        if comma is None:
            raise Refused(f"{function} takes two arguments")
        value, by = text[found.end() : comma], text[comma + 1 : place - 1]
        text = f"{text[: found.start()]}any_value({value} having {word} {by}){text[place:]}"
    return text


def message(error: ServerError) -> str:
    return re.sub(r"^\[\w+\]\s*", "", str(error))


def to_type(one: Field) -> zt.Type:
    """The analyzer's type of a column of the REST API."""
    if one["type"] in ("RECORD", "STRUCT"):
        made = TypeFactory.create_struct_type([(inner["name"], to_type(inner)) for inner in one["fields"]])
    else:
        made = TypeFactory.create_simple_type(KINDS[one["type"].upper()])
    return TypeFactory.create_array_type(made) if one.get("mode") == "REPEATED" else made


def to_field(name: str, kind: Any) -> Field:
    """The REST API's column of a name and an analyzer's type."""
    if kind.type_kind == zt.TypeKind.TYPE_ARRAY:
        return to_field(name, kind.array_type.element_type) | {"mode": "REPEATED"}
    if kind.type_kind == zt.TypeKind.TYPE_STRUCT:
        inner = [to_field(one.field_name, one.field_type) for one in kind.struct_type.field]
        return {"name": name, "type": "RECORD", "mode": "NULLABLE", "fields": inner}
    return {"name": name, "type": NAMES[zt.TypeKind(kind.type_kind)], "mode": "NULLABLE"}


def to_python(value: Any, kind: Any) -> Any:
    """A value of the reference implementation as Python knows it; times are UTC."""
    name = value.WhichOneof("value")
    if name is None:
        return None
    content = getattr(value, name)
    match zt.TypeKind(kind.type_kind):
        case zt.TypeKind.TYPE_ARRAY:
            return [to_python(one, kind.array_type.element_type) for one in content.element]
        case zt.TypeKind.TYPE_STRUCT:
            fields = zip(content.field, kind.struct_type.field, strict=True)
            return [to_python(one, inner.field_type) for one, inner in fields]
        case zt.TypeKind.TYPE_NUMERIC:
            return scaled(content, 9)
        case zt.TypeKind.TYPE_BIGNUMERIC:
            return scaled(content, 38)
        case zt.TypeKind.TYPE_TIMESTAMP:
            return EPOCH + timedelta(seconds=content.seconds, microseconds=content.nanos // 1000)
        case zt.TypeKind.TYPE_DATE:
            return date(1970, 1, 1) + timedelta(days=content)
        case _:
            return content


def scaled(content: bytes, digits: int) -> Decimal:
    """A decimal from its little-endian whole number of units of 10^-digits."""
    number = int.from_bytes(content, "little", signed=True)
    sign, figures = int(number < 0), tuple(int(one) for one in str(abs(number)))
    return Decimal((sign, figures, -digits))
