"""Where the rows of walks go: into dlt load packages, or nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

import dlt
import pyarrow as pa

from extract.packages import NamedTable, Package, Reader
from extract.walks import Reading, Walker
from extract.warehouse import loading_credentials


class Sink(Protocol):
    """Takes the rows of walks."""

    def take_packages(self, walker: Walker, packages: Iterable[Package]) -> None:
        """Carries packages out, one after the other; what one package brings is committed together."""
        ...

    def take_tables(self, tables: Iterable[NamedTable]) -> None:
        """Commits rows of several raw tables together."""
        ...


@dataclass(slots=True)
class DltSink:
    """Loads each package as one of dlt's: rows and walk records are committed together."""

    pipeline: dlt.Pipeline
    workers: int
    _fattest_page: int = 0

    def __post_init__(self) -> None:
        # Arrow's default keeps much of what pages took. jemalloc gives it back; Arrow is not built with it everywhere.
        if "jemalloc" in pa.supported_memory_backends():
            pa.set_memory_pool(pa.jemalloc_memory_pool())

    def take_packages(self, walker: Walker, packages: Iterable[Package]) -> None:
        with Reader(walker, self.workers) as reader:
            for tables in reader.packages(packages):
                self.take_tables(tables)

    def take_tables(self, tables: Iterable[NamedTable]) -> None:
        to_load = iter(tables)
        first = next(to_load, None)
        if first is None:
            return
        self._load(dlt.resource(self._named(chain([first], to_load)), name="walks"))

    def _named(self, tables: Iterable[NamedTable]) -> Iterator[Any]:
        for name, table in tables:
            self._fattest_page = max(self._fattest_page, table.nbytes)
            yield dlt.mark.with_table_name(table, name)

    def prepare(self) -> None:
        """Makes the working folder agree with the warehouse, then loads what an earlier run fetched but not committed.

        A warehouse that was deleted takes its working folder along; an empty folder learns the schema anew.
        """
        self.pipeline.sync_destination()
        self._drop_half_deleted()
        if self.pipeline.has_pending_data:
            self.pipeline.normalize()
            self.pipeline.load(credentials=loading_credentials(self.pipeline, None))

    def _drop_half_deleted(self) -> None:
        """Ends what a killed run began: dlt deletes an extracted package when it is normalized, file by file.

        What is left of it has no jobs any more, and normalizing it again would fail for ever.
        """
        normalized = set(self.pipeline.list_normalized_load_packages())
        for load_id in self.pipeline.list_extracted_load_packages():
            if load_id in normalized:
                self.pipeline._get_normalize_storage().extracted_packages.delete_package(load_id)

    def _load(self, resource: Any) -> None:
        self.pipeline.extract(resource, write_disposition="append", loader_file_format="parquet")
        self.pipeline.normalize()
        # Arrow keeps what the pages took for the next ones; DuckDB, which comes now, needs as much for itself.
        pa.default_memory_pool().release_unused()
        self.pipeline.load(credentials=loading_credentials(self.pipeline, self._fattest_page))
        self._fattest_page = 0


@dataclass(slots=True)
class DrySink:
    """Makes the same requests and drops the rows. Only the venue knows how many pages a history has."""

    workers: int

    def take_packages(self, walker: Walker, packages: Iterable[Package]) -> None:
        def read(reading: Reading) -> None:
            for _ in walker.walk(reading):
                pass

        with ThreadPoolExecutor(self.workers) as pool:
            for package in packages:
                for stage in package.stages:
                    list(pool.map(read, stage()))

    def take_tables(self, tables: Iterable[NamedTable]) -> None:
        pass
