"""The replica over real HTTP, from a thread of the calling process."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.routing import BaseRoute
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.replica import dome
from tests.replica.app import Replica, RequestLog, create_app
from tests.replica.clock import Clock
from tests.replica.faults import Faults
from tests.replica.from_world import WorldSource
from tests.replica.recorded import RecordedSource
from tests.replica.source import Source
from tests.replica.world import World


class Protocol(H11Protocol):
    """Hands the connection's transport to the application, which needs it to reset a connection."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def free_socket(port: int = 0) -> socket.socket:
    """A listening socket on 127.0.0.1; port 0 takes a free one."""
    # Named TCP: asyncio only turns Nagle's delay off on sockets whose protocol says so.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(256)
    return listener


def uvicorn_server(app: Replica) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=Protocol,
            lifespan="off",
            access_log=False,
            # A body cut on purpose would be logged as an application error.
            log_level="critical",
            server_header=False,
            # The Date header is the world's, not this computer's.
            date_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
    )


def as_source(source: World | Source | str | Path) -> Source:
    """A world, a folder of recorded answers, or a source as it is."""
    if isinstance(source, str | Path):
        return RecordedSource(Path(source))
    if isinstance(source, World):
        return WorldSource(source)
    return source


def base_urls(port: int) -> dict[str, str]:
    """The base URL of each API."""
    url = f"http://127.0.0.1:{port}"
    return {
        "data_api": f"{url}/data-api",
        "gamma_api": f"{url}/gamma",
        "clob_api": f"{url}/clob",
        "dome": f"{url}/dome/v1",
    }


def settings(port: int, dome_key: str) -> dict[str, str]:
    """The settings that point the extractor at a replica on this port."""
    urls = base_urls(port)
    return {
        "SOURCES__POLYMARKET__DATA_API_URL": urls["data_api"],
        "SOURCES__POLYMARKET__GAMMA_API_URL": urls["gamma_api"],
        "SOURCES__POLYMARKET__CLOB_API_URL": urls["clob_api"],
        "SOURCES__DOME__BASE_URL": urls["dome"],
        "SOURCES__DOME__API_KEY": dome_key,
    }


class RunningReplica:
    """Handles on a replica that is being served."""

    def __init__(self, app: Replica, source: Source, port: int, dome_key: str) -> None:
        self.app = app
        self.source = source
        self.port = port
        self.dome_key = dome_key
        self.url = f"http://127.0.0.1:{port}"
        urls = base_urls(port)
        self.data_api_url = urls["data_api"]
        self.gamma_api_url = urls["gamma_api"]
        self.clob_api_url = urls["clob_api"]
        self.dome_base_url = urls["dome"]

    @property
    def clock(self) -> Clock:
        return self.app.clock

    @property
    def faults(self) -> Faults:
        return self.app.faults

    @property
    def requests(self) -> RequestLog:
        return self.app.requests

    def environment(self) -> dict[str, str]:
        """The settings that point the extractor here."""
        return settings(self.port, self.dome_key)


@contextlib.contextmanager
def serve(
    source: World | Source | str | Path,
    now: str | int | datetime | None = None,
    *,
    port: int = 0,
    auto_advance: int = 0,
    dome_manners: dome.Manners | None = None,
    cdn: bool = False,
    mounts: Sequence[BaseRoute] = (),
) -> Iterator[RunningReplica]:
    """Serves a world (or recorded answers) until the block ends. `now` defaults to the end of the
    world's story, or to just after the newest recorded moment. `mounts` are further venues' APIs."""
    served = as_source(source)
    manners = dome_manners or dome.Manners()
    clock = Clock(served.ends_at if now is None else now, auto_advance)
    app = create_app(served, clock, dome_manners=manners, cdn=cdn, mounts=mounts)
    listener = free_socket(port)
    server = uvicorn_server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the replica did not start")
            time.sleep(0.002)
        yield RunningReplica(app, served, listener.getsockname()[1], manners.api_key)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
