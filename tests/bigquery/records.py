"""What job records tell: which lasting tables were written, how often, and which days and months statements name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Jobs = Sequence[Mapping[str, Any]]

#: dbt begins statements with comments of either kind.
WRITE = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
    r"(?P<verb>create\s+(?:or\s+replace\s+)?table(?:\s+if\s+not\s+exists)?|merge\s+into|insert\s+into|update"
    r"|delete\s+from|truncate\s+table)\s+`?[\w-]+`?\.`?(?P<dataset>\w+)`?\.`?(?P<table>\w+)`?",
    re.IGNORECASE | re.DOTALL,
)
STRETCH = re.compile(r"([\w.]+) >= timestamp '([\d-]+)' and \1 < timestamp '([\d-]+)'")
#: A view of raw rows that are fetched, of any venue; what tells of loads and runs is small, and read whole.
RAW_READ = re.compile(
    r"\bfrom `[\w-]+`\.`\w+`\.`(?:stg_(?!venues__)\w+__(?!loads`|runs`|windows`)\w+|int_venue_(?:prices|trades))`"
)
SINCE = re.compile(r"\b(?:fetched|ended)_at >= timestamp '([\d-]+)'")


def writes(jobs: Jobs) -> Iterator[tuple[str, str, str]]:
    """Each statement or load that changed a table: its verb, the table as `dataset.table`, and the SQL."""
    for job in jobs:
        configuration = job["configuration"]
        sql = configuration.get("query", {}).get("query", "")
        if "load" in configuration:
            target = configuration["load"]["destinationTable"]
            yield "load", f"{target['datasetId']}.{target['tableId']}", sql
        elif found := WRITE.match(sql):
            yield found["verb"].split()[0].lower(), f"{found['dataset']}.{found['table']}", sql


def written(jobs: Jobs) -> Counter[str]:
    """How often each table was written, dbt's passing ones aside."""
    return Counter(table for _, table, _ in writes(jobs) if "__dbt_tmp" not in table)


def merges(jobs: Jobs) -> dict[str, str]:
    """The last merge into each table, by the table's name."""
    return {table.split(".")[1]: sql for verb, table, sql in writes(jobs) if verb == "merge"}


def batches(jobs: Jobs) -> dict[str, str]:
    """What the last increment of each model read: the statement that made its batch, by the model's name."""
    return {
        table.split(".")[1].split("__dbt_tmp")[0]: sql
        for verb, table, sql in writes(jobs)
        if verb == "create" and "__dbt_tmp" in table
    }


def stretches(sql: str) -> dict[str, set[str]]:
    """The months that a statement names in constants, as `2026-05`, by the column (`trades.timestamp`)."""
    found: dict[str, set[str]] = {}
    for column, begins, ends in STRETCH.findall(sql):
        year, month = int(begins[:4]), int(begins[5:7])
        while f"{year}-{month:02d}-01" < ends:
            found.setdefault(column, set()).add(f"{year}-{month:02d}")
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found
