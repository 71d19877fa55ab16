"""The queries of the documents that this warehouse was asked for in, adapted as far as they say themselves.

Their project, datasets and table names are those of three older systems on three engines: BigQuery, ClickHouse and
PostgreSQL. `adapted` puts this project's relations in their place and changes nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlglot

from tests.conftest import ROOT

DOCUMENTS = ROOT.parent / "shared" / "seed_documents"


@dataclass(frozen=True)
class Query:
    """One query as it is printed, its engine's name in sqlglot, and the heading or comment that says what it gives."""

    document: str
    promise: str
    engine: str
    sql: str


def printed_queries() -> list[Query]:
    """Every SELECT of the documents, in their order."""
    found = []
    for path in sorted(DOCUMENTS.glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        for fence in re.finditer(r"^[ \t]*```(\w+)\n(.*?)^[ \t]*```", text, re.DOTALL | re.MULTILINE):
            language, body = fence.groups()
            heading = (re.findall(r"^#+ (.*)$", text[: fence.start()], re.MULTILINE) or [""])[-1]
            found += [Query(path.name, *query) for query in _queries(language, body, heading)]
    return found


def _queries(language: str, body: str, heading: str) -> list[tuple[str, str, str]]:
    if language == "bash":
        # What the shell makes of a string in double quotes: escaped backticks, lines that go on.
        texts = re.findall(r'(?:#\s*([^\n]*)\n)?bq query[^"]*"(.*?)"', body, re.DOTALL)
        return [(note or heading, "bigquery", sql.replace("\\`", "`").replace("\\\n", "\n")) for note, sql in texts]
    if language == "python":
        return [(heading, "postgres", sql) for sql in re.findall(r'"""\s*(SELECT .*?)"""', body, re.DOTALL)]
    if language == "sql":
        parts = re.findall(r"--\s*([^\n]*)\n\s*(SELECT .*?);", body, re.DOTALL)
        return [(note, "clickhouse", sql) for note, sql in parts]
    return []


def adapted(query: Query, *, wallet: str) -> str:
    """The query with this project's names, still in its own engine's SQL."""
    sql = query.sql
    sql = re.sub(r"`[\w-]+\.polycopy_v1\.(\w+)`", r"polyomega.\1", sql)
    # ClickHouse reaches for the markets of a PostgreSQL; here both are in one warehouse.
    sql = re.sub(r"postgres\([^)]*\)", "polyomega.markets", sql)
    sql = sql.replace("trades_raw", "trades")
    sql = re.sub(
        r"(?<![\w.])(trades|markets|wallet_sync_progress|wallets_needing_sync|wallet_sync_metadata)(?=\s|;|$)",
        r"polyomega.\1",
        sql,
    )
    # Printed with dots, for the reader to fill in, and in mixed case; addresses are lower case here.
    sql = sql.replace("0x742d35Cc...", wallet)
    return sql.replace("LIMIT %s", "LIMIT 100")


def on_duckdb(query: Query, *, wallet: str) -> str:
    return _in("duckdb", query, wallet)


def on_bigquery(query: Query, *, wallet: str) -> str:
    """As printed where it was BigQuery's already."""
    return adapted(query, wallet=wallet) if query.engine == "bigquery" else _in("bigquery", query, wallet)


def _in(engine: str, query: Query, wallet: str) -> str:
    [statement] = sqlglot.transpile(adapted(query, wallet=wallet), read=query.engine, write=engine)
    return statement
