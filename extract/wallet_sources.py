"""Wallets that others name: a Supabase project's tables, or any table of the warehouse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import dlt
import msgspec
from dlt.destinations.exceptions import DatabaseException

from extract.http import VenueError
from extract.raw import WALLETS
from extract.settings import UsageError
from extract.supabase import Supabase
from extract.walks import Page, Reading

ROWS = 10_000

_COLUMN = re.compile(r"([A-Za-z_]\w*)\.([A-Za-z_]\w*)\.([A-Za-z_]\w*)")


@dataclass(slots=True)
class WalletSources:
    """The sources that are set up, and a line on those that are not."""

    readings: list[Reading] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    supabase: Supabase | None = None

    @property
    def requests_made(self) -> int:
        return 0 if self.supabase is None else self.supabase.requests_made

    def close(self) -> None:
        if self.supabase is not None:
            self.supabase.close()


def wallet_sources(pipeline: dlt.Pipeline, table: str | None) -> WalletSources:
    """The sources of wallets beside the venue's own boards.

    Args:
        table: SCHEMA.TABLE.COLUMN of the warehouse.

    Raises:
        UsageError: a source is half set up.
    """
    sources = WalletSources(supabase=Supabase.from_settings())
    missing = []
    if sources.supabase is None:
        missing.append("Supabase (SOURCES__SUPABASE__URL)")
    else:
        sources.readings += sources.supabase.readings()
    if table is None:
        missing.append(f"a table (SOURCES__{pipeline.pipeline_name.upper()}__WALLETS_TABLE)")
    else:
        match = _COLUMN.fullmatch(table)
        if match is None:
            raise UsageError(
                f"SOURCES__{pipeline.pipeline_name.upper()}__WALLETS_TABLE: {table!r} is no SCHEMA.TABLE.COLUMN"
            )
        pages = partial(_table_pages, pipeline, *match.groups())
        sources.readings.append(Reading(table=WALLETS, scope=f"table:{table}", pages=pages))
    if missing:
        sources.notes.append(f"wallet sources that are not set up: {', '.join(missing)}")
    return sources


def _table_pages(pipeline: dlt.Pipeline, schema: str, table: str, column: str) -> Iterator[Page]:
    """The addresses in one column, each once."""
    with pipeline.sql_client() as client, client.with_alternative_dataset_name(schema) as other:
        name = other.make_qualified_table_name(table)
        try:
            found = other.execute_sql(f"select distinct {column} from {name} where {column} is not null order by 1")
        except DatabaseException as error:
            reason = str(error).splitlines()[0][:200]
            raise VenueError(f"{schema}.{table}.{column} cannot be read ({reason})") from None
    addresses = [str(row[0]) for row in found or ()]
    for start in range(0, max(1, len(addresses)), ROWS):
        rows = [msgspec.Raw(json.dumps({"wallet_address": one}).encode()) for one in addresses[start : start + ROWS]]
        more = start + ROWS < len(addresses)
        yield Page(rows, None, str(start + ROWS) if more else None)
