"""The processes that are measured. Started by `benchmarks.measure.run_client`, never by hand.

Each task makes ready (imports, and opens the empty warehouse), prints `ready`, waits for a line, works, and prints one
line of JSON: the fills that were committed, and the seconds by the clock and of the processor that the work took.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measure import cpu_seconds
from benchmarks.venue import Pages, wallet
from extract.polymarket import Polymarket
from extract.run import Due, Options, Run
from extract.sinks import DltSink
from extract.warehouse import open_pipeline

#: Rows in one Parquet file of the straight way, so that it holds no more in memory than one file.
FILE_ROWS = 100_000


def extract(wallets: int, pages: int, *, is_backfill: bool = False) -> Callable[[], int]:
    """The project's own way: its venue, its walks, its sink; only the command line is left out."""
    venue = Polymarket()
    sink = DltSink(open_pipeline(venue.name, create=True), venue.settings.workers)
    # Opens the new warehouse, and so makes dlt import what it only imports when it needs it.
    sink.prepare()

    def work() -> int:
        names = tuple(wallet(number) for number in range(wallets))
        run = Run(venue, Options(command="benchmark", wallets=names, backfill=is_backfill), Due(), sink)
        try:
            run.execute()
        finally:
            venue.close()
        if run.tally.failures:
            raise RuntimeError(f"walks failed: {list(run.tally.failures)[:3]}")
        return committed_fills()

    return work


def committed_fills() -> int:
    with duckdb.connect(os.environ["DESTINATION__DUCKDB__CREDENTIALS"], read_only=True) as connection:
        row = connection.execute(
            "select count(*) from raw_polymarket.trades inner join raw_polymarket._dlt_loads "
            "on trades._dlt_load_id = _dlt_loads.load_id where _dlt_loads.status = 0"
        ).fetchone()
    return int(row[0]) if row else 0


class _Fill(msgspec.Struct):
    transaction_hash: str
    proxy_wallet: str
    token_id: str
    condition_id: str
    side: str
    size: msgspec.Raw
    price: msgspec.Raw
    timestamp: msgspec.Raw


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]


_FILL = msgspec.json.Decoder(_Fill)
_PAGE = msgspec.json.Decoder(_Page)
_TEXTS = ("transaction_hash", "proxy_wallet", "token_id", "condition_id", "side")
_NUMBERS = ("size", "price", "timestamp")


def straight_from_memory(wallets: int, pages: int) -> Callable[[], int]:
    """The limit of `ingest`: the same bodies, already in memory, parsed, to Parquet, COPY. No HTTP, walks or dlt."""
    bodies = list(_bodies(wallets, pages))
    return lambda: straight(bodies)


def straight_from_http(wallets: int, pages: int) -> Callable[[], int]:
    """The limit of `memory`: the same pages over HTTP, to Parquet, COPY. No walks or dlt."""

    def fetched() -> Iterator[bytes]:
        url = urlsplit(os.environ["SOURCES__POLYMARKET__DATA_API_URL"])
        connection = http.client.HTTPConnection(str(url.hostname), url.port)
        for number in range(wallets):
            for page in range(pages):
                connection.request("GET", f"/v2/trades?user={wallet(number)}&cursor={page:08d}")
                yield connection.getresponse().read()
        connection.close()

    return lambda: straight(fetched())


def _bodies(wallets: int, pages: int) -> Iterator[bytes]:
    rendered = Pages(wallets, pages)
    for address in rendered.wallets:
        for page in range(pages):
            yield rendered.trades(address, page)


def straight(bodies: Iterable[bytes]) -> int:
    """The least that gives the same columns of the same rows: decode, Parquet files of bounded size, COPY each."""
    warehouse = os.environ["DESTINATION__DUCKDB__CREDENTIALS"]
    file = warehouse + ".parquet"
    with duckdb.connect(warehouse) as connection:
        columns = ", ".join(f"{name} varchar" for name in (*_TEXTS, *_NUMBERS, "payload"))
        connection.execute(f"create table trades ({columns})")
        writer: pq.ParquetWriter | None = None
        rows = 0
        for body in bodies:
            page = _columns(body)
            writer = writer or pq.ParquetWriter(file, page.schema)
            writer.write_table(page)
            rows += page.num_rows
            if rows >= FILE_ROWS:
                writer.close()
                connection.execute(f"copy trades from '{file}'")
                writer, rows = None, 0
        if writer is not None:
            writer.close()
            connection.execute(f"copy trades from '{file}'")
        counted = connection.execute("select count(*) from trades").fetchone()
    return int(counted[0]) if counted else 0


def _columns(body: bytes) -> pa.Table:
    raw = _PAGE.decode(body).data
    rows = [_FILL.decode(row) for row in raw]
    columns = {name: pa.array([getattr(row, name) for row in rows], pa.string()) for name in _TEXTS}
    columns |= {name: pa.array([bytes(getattr(row, name)) for row in rows], pa.string()) for name in _NUMBERS}
    return pa.table(columns | {"payload": pa.array([bytes(row) for row in raw], pa.string())})


TASKS: dict[str, Callable[[int, int], Callable[[], int]]] = {
    "extract": extract,
    "backfill": partial(extract, is_backfill=True),
    "straight_from_memory": straight_from_memory,
    "straight_from_http": straight_from_http,
}


def main() -> None:
    task, arguments = sys.argv[1], json.loads(sys.argv[2])
    work = TASKS[task](arguments["wallets"], arguments["pages"])
    print("ready", flush=True)
    sys.stdin.readline()
    cpu, clock = cpu_seconds(), time.perf_counter()
    fills = work()
    result: dict[str, Any] = {
        "fills": fills,
        "cpu_seconds": cpu_seconds() - cpu,
        "seconds": time.perf_counter() - clock,
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
