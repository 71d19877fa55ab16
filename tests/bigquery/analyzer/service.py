"""BigQuery's REST API over a warehouse that holds no rows: every statement is judged by Google's own analyzer, and what
it makes (tables, views, their columns) is there for the next one. Queries are answered by the reference implementation.

So dbt, with nothing changed but the address, goes through a whole build: what is recorded is what it would really send.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.bigquery.analyzer.googlesql import EPOCH, Field, GoogleSQL, Refused

Json = dict[str, Any]
#: dbt's comment before each statement: who sends it.
COMMENT = re.compile(r"/\*\s*(\{.*?\})\s*\*/", re.DOTALL)
#: A statement that asks for rows; the reference implementation analyzes it before it answers.
QUERY = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:select|with)\b", re.IGNORECASE | re.DOTALL)
#: The analyzer's names of statements, as BigQuery's jobs call them.
STATEMENTS = {
    "CreateTableAsSelectStmt": "CREATE_TABLE_AS_SELECT",
    "CreateTableStmt": "CREATE_TABLE",
    "CreateViewStmt": "CREATE_VIEW",
    "CreateSchemaStmt": "CREATE_SCHEMA",
    "MergeStmt": "MERGE",
    "InsertStmt": "INSERT",
    "UpdateStmt": "UPDATE",
    "DeleteStmt": "DELETE",
    "TruncateStmt": "TRUNCATE_TABLE",
    "DropStmt": "DROP_TABLE",
    "AlterTableStmt": "ALTER_TABLE",
}
TARGET = re.compile(
    r"\b(?:create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?(?:table|view)(?:\s+if\s+not\s+exists)?"
    r"|drop\s+(?:table|view)(?:\s+if\s+exists)?|merge\s+into|insert\s+into|update|delete\s+from|alter\s+table"
    r"(?:\s+if\s+exists)?)\s+(`[^;\s(]+`)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Statement:
    """One job as dbt sent it, and what was found. `node` is dbt's name of the model, test or seed, empty for what no
    node sends; `target` the table that is written, as `dataset.table`, or none."""

    node: str
    sql: str
    kind: str
    target: str | None
    configuration: Json
    refusal: str | None


@dataclass
class Service:
    """The warehouse: what exists, and every statement so far."""

    engine: GoogleSQL
    project: str = "polyomega-check"
    #: Nodes whose statements the analyzer cannot judge: what it refuses of them goes through, and stays marked.
    unjudged: dict[str, str] = field(default_factory=dict)
    datasets: set[str] = field(default_factory=set)
    tables: dict[str, Json] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.jobs: dict[str, Json] = {}
        self.answers: dict[str, tuple[list[Field], list[list[Any]]]] = {}

    def add_table(self, name: str, fields: list[Field], kind: str = "TABLE") -> None:
        """Makes `dataset.table` exist."""
        dataset, table = name.split(".")
        with self.lock:
            self.datasets.add(dataset)
            self.tables[name] = {"schema": {"fields": fields}, "type": kind}
            self.engine.tables[f"{self.project}.{dataset}.{table}"] = fields

    def drop_table(self, name: str) -> None:
        with self.lock:
            self.tables.pop(name, None)
            self.engine.tables.pop(f"{self.project}.{name}", None)

    def clear(self) -> None:
        """Forgets all tables and all statements."""
        with self.lock:
            for name in list(self.tables):
                self.drop_table(name)
            self.datasets.clear()
            self.statements.clear()

    def run(self, job: Json) -> Json:
        """A job: judged, carried out as far as names and columns go, and answered."""
        configuration = job["configuration"]
        reference = job["jobReference"]
        made: Json = {
            "kind": "bigquery#job",
            "jobReference": reference | {"projectId": self.project, "location": reference.get("location", "US")},
            "status": {"state": "DONE"},
            "statistics": {"creationTime": "0", "startTime": "0", "endTime": "0", "totalBytesProcessed": "0"},
            "configuration": configuration,
        }
        if "load" in configuration:
            self._load(configuration)
        else:
            self._query(made, configuration)
        self.jobs[reference["jobId"]] = made
        return made

    def _load(self, configuration: Json) -> None:
        load = configuration["load"]
        table = load["destinationTable"]
        target = f"{table['datasetId']}.{table['tableId']}"
        # Only seeds are loaded, and a load carries no comment.
        statement = Statement(f"seed.polyomega.{table['tableId']}", "", "LOAD", target, configuration, None)
        with self.lock:
            self.statements.append(statement)
        self.add_table(target, load["schema"]["fields"])

    def _query(self, made: Json, configuration: Json) -> None:
        sql = configuration["query"]["query"]
        said = COMMENT.search(sql)
        node = json.loads(said.group(1)).get("node_id") or "" if said else ""
        found = TARGET.search(sql)
        target = self._target(found.group(1)) if found else None
        refusal, kind = None, "?"
        fields: list[Field] = []
        rows: list[list[Any]] = []
        try:
            if QUERY.match(COMMENT.sub("", sql)):
                kind = "SELECT"
                fields, rows = self.engine.evaluate(sql)
            else:
                judged = self.engine.analyze(sql)
                kind, fields = STATEMENTS.get(judged.kind, judged.kind), judged.columns
        except Refused as error:
            refusal = str(error)
        statement = Statement(node, sql, kind, target, configuration, refusal)
        with self.lock:
            self.statements.append(statement)
        if refusal is not None and node not in self.unjudged:
            raise Refused(refusal)
        statistics: Json = {"statementType": kind, "totalBytesBilled": "0", "numDmlAffectedRows": "0"}
        made["statistics"]["query"] = statistics
        reference: Json = {"projectId": self.project, "datasetId": "_answers", "tableId": made["jobReference"]["jobId"]}
        if target is not None and kind.startswith(("CREATE", "DROP")):
            dataset, table = target.split(".")
            reference = {"projectId": self.project, "datasetId": dataset, "tableId": table}
            statistics["ddlTargetTable"] = reference
            if kind.startswith("DROP"):
                self.drop_table(target)
            else:
                self.add_table(target, fields, "VIEW" if kind == "CREATE_VIEW" else "TABLE")
        configuration["query"]["destinationTable"] = reference
        self.answers[made["jobReference"]["jobId"]] = (fields, rows)

    def _target(self, quoted: str) -> str:
        return ".".join(quoted.replace("`", "").split(".")[-2:])

    # What follows answers the REST calls that google-cloud-bigquery makes.

    def table(self, name: str) -> Json | None:
        """The table as the API tells it, none where there is none."""
        dataset, table = name.split(".", 1)
        if dataset == "_answers":
            fields, rows = self.answers[table]
            content: Json = {"schema": {"fields": fields}, "type": "TABLE", "numRows": str(len(rows))}
        elif name in self.tables:
            content = self.tables[name] | {"numRows": "0"}
        else:
            return None
        reference = {"projectId": self.project, "datasetId": dataset, "tableId": table}
        return {"tableReference": reference, "id": name, "numBytes": "0", **content}

    def results(self, job: str) -> Json:
        """The rows of a query, as the API tells them."""
        fields, rows = self.answers.get(job, ([], []))
        return {
            "jobComplete": True,
            "jobReference": self.jobs[job]["jobReference"],
            "schema": {"fields": fields},
            "totalRows": str(len(rows)),
            "rows": [cells(row, fields) for row in rows],
        }


def cells(row: list[Any], fields: list[Field]) -> Json:
    return {"f": [{"v": cell(value, one)} for value, one in zip(row, fields, strict=True)]}


def cell(value: Any, one: Field) -> Any:
    if value is None:
        return None
    if one.get("mode") == "REPEATED":
        return [{"v": cell(inner, one | {"mode": "NULLABLE"})} for inner in value]
    if one["type"] == "RECORD":
        return cells(value, one["fields"])
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return str((value - EPOCH) // timedelta(microseconds=1))
        case date():
            return value.isoformat()
        case Decimal():
            return format(value.normalize(), "f")
        case _:
            return str(value)


class Handler(BaseHTTPRequestHandler):
    """The routes. The server's `service` is the warehouse."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: tests read the statements, not a log."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PATCH(self) -> None:
        self._answer("PATCH")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path = [unquote(part) for part in parts.path.split("/projects/", 1)[1].split("/")[1:]]
        try:
            answer = self._route(method, path, body, parse_qs(parts.query))
        except Refused as error:
            self._send(400, {"error": problem(400, "invalidQuery", str(error))})
        except LookupError as error:
            self._send(404, {"error": problem(404, "notFound", f"Not found: {error}")})
        except Exception as error:  # A connection that breaks would be tried again for minutes.
            self._send(400, {"error": problem(400, "notImplemented", f"{method} {self.path}: {error!r}")})
        else:
            self._send(200, answer)

    def _route(self, method: str, path: list[str], body: bytes, query: dict[str, list[str]]) -> Json:
        service = self.server.service
        match method, path:
            case "POST", ["jobs"] if query.get("uploadType") == ["resumable"]:
                # The file follows; nobody asks for its rows, so that only its columns matter.
                job = service.run(json.loads(body))
                return {"location": f"{service.url}{self.path}&upload_id={job['jobReference']['jobId']}"}
            case "PUT", ["jobs"]:
                return service.jobs[query["upload_id"][0]]
            case "POST", ["jobs"]:
                return service.run(json.loads(body))
            case "GET", ["jobs", job]:
                return service.jobs[job]
            case "GET", ["queries", job]:
                return service.results(job)
            case "GET", ["datasets"]:
                references = [{"projectId": service.project, "datasetId": one} for one in sorted(service.datasets)]
                return {"datasets": [{"datasetReference": one, "id": one["datasetId"]} for one in references]}
            case "POST", ["datasets"]:
                dataset = json.loads(body)
                service.datasets.add(dataset["datasetReference"]["datasetId"])
                return dict(dataset)
            case "GET", ["datasets", dataset]:
                if dataset not in service.datasets:
                    raise KeyError(dataset)
                return {"datasetReference": {"projectId": service.project, "datasetId": dataset}, "location": "US"}
            case "GET", ["datasets", dataset, "tables"]:
                if dataset not in service.datasets:
                    raise KeyError(dataset)
                names = [name for name in sorted(service.tables) if name.startswith(f"{dataset}.")]
                return {"tables": [service.table(name) for name in names]}
            case "GET", ["datasets", dataset, "routines"]:
                return {"routines": []}
            case "GET", ["datasets", dataset, "routines", routine]:
                raise KeyError(f"{dataset}.{routine}")
            case "GET", ["datasets", dataset, "tables", table]:
                found = service.table(f"{dataset}.{table}")
                if found is None:
                    raise KeyError(f"{dataset}.{table}")
                return found
            case "GET", ["datasets", dataset, "tables", table, "data"]:
                return service.results(table) if dataset == "_answers" else {"rows": [], "totalRows": "0"}
            case "PATCH", ["datasets", dataset, "tables", table]:
                known = service.tables[f"{dataset}.{table}"]
                known |= {key: value for key, value in json.loads(body).items() if key in ("description", "labels")}
                return service.table(f"{dataset}.{table}") or {}
            case "DELETE", ["datasets", dataset, "tables", table]:
                service.drop_table(f"{dataset}.{table}")
                return {}
        raise NotImplementedError(f"{method} {'/'.join(path)}")

    def _send(self, status: int, answer: Json) -> None:
        text = json.dumps(answer).encode()
        self.send_response(status)
        if "upload" in self.path:
            self.send_header("Location", answer.get("location", ""))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, service: Service) -> None:
        self.service = service
        super().__init__(("127.0.0.1", 0), Handler)


def problem(code: int, reason: str, text: str) -> Json:
    return {"code": code, "message": text, "errors": [{"reason": reason, "message": text, "domain": "global"}]}


@contextmanager
def running(service: Service) -> Iterator[Service]:
    """The service on a port of its own."""
    server = Server(service)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
