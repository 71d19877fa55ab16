"""The replica as one ASGI application: all venues' APIs, and what surrounds each request.

Paths: /data-api/v2/... (and v1 without /v2), /gamma/..., /clob/..., /dome/v1/polymarket/...,
and /_control/... to move the clock, switch faults on and read the request log.

Around each request: the world's clock is read (and advanced, if it advances by itself), a fault may
strike, the answer gets a `Date` header of the world's time, and the request is logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.replica import clob, data_api, dome, gamma
from tests.replica.clock import Clock
from tests.replica.faults import BODIES, Fault, Faults
from tests.replica.rows import encode
from tests.replica.source import Source

#: Query parameters that point at a page, for the faults that send a client round in circles.
CURSOR_PARAMETERS = {"cursor", "after_cursor", "next_cursor", "pagination_key", "offset"}
#: Response keys that hold the page's rows.
LIST_KEYS = ("data", "markets", "events", "orders", "activities", "history")


@dataclass(frozen=True)
class LoggedRequest:
    """One request as it was answered. `status` 0: the connection was broken before an answer. `at`: seconds of this
    computer's steady clock when it arrived."""

    method: str
    path: str
    query: str
    status: int
    world_time: int
    fault: str | None = None
    at: float = 0.0


class RequestLog:
    """The last requests, oldest first, and how many there were in all."""

    def __init__(self, size: int = 200_000) -> None:
        self._log: deque[LoggedRequest] = deque(maxlen=size)
        self.total = 0

    def add(self, entry: LoggedRequest) -> None:
        self._log.append(entry)
        self.total += 1

    def clear(self) -> None:
        self._log.clear()
        self.total = 0

    def __iter__(self) -> Any:
        return iter(list(self._log))

    def __len__(self) -> int:
        return len(self._log)

    def __getitem__(self, index: int) -> LoggedRequest:
        return self._log[index]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


class Replica:
    """The outermost ASGI application."""

    def __init__(self, inner: ASGIApp, control: ASGIApp, clock: Clock, faults: Faults, cdn: bool) -> None:
        self.inner = inner
        self.control = control
        self.clock = clock
        self.faults = faults
        self.cdn = Cdn() if cdn else None
        self.requests = RequestLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path.startswith("/_control"):
            await self.control(scope, receive, send)
            return
        raw_query = scope["query_string"].decode("latin-1")
        pairs = parse_qsl(raw_query, keep_blank_values=True)
        now, at = self.clock.tick(), time.monotonic()
        scope["state"]["now"] = now
        fault = self.faults.strike(path, pairs)
        answer, cut_at = await self._answer(scope, receive, pairs, now, fault)
        # Logged first: who has the answer can rely on finding the request in the log.
        status = answer.status if answer and cut_at is None else 0
        name = fault.kind if fault else None
        self.requests.add(LoggedRequest(scope["method"], path, raw_query, status, now, name, at))
        if answer is not None:
            await respond(send, answer, now, cut_at)
        elif name == "reset":
            await reset(scope)

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        pairs: list[tuple[str, str]],
        now: int,
        fault: Fault | None,
    ) -> tuple[Answer | None, int | None]:
        """The answer, and where to cut its body. No answer: the connection ends without one."""
        kind = fault.kind if fault else None
        if fault is not None:
            if kind == "reset":
                return None, None
            if kind == "hang" and await disconnected_within(receive, fault.seconds):
                return None, None
            if kind in ("rate_limited", "error", "html"):
                return refusal(fault, scope["path"], now), None
        if kind == "repeat":
            rest = [pair for pair in pairs if pair[0] not in CURSOR_PARAMETERS]
            scope = {**scope, "query_string": urlencode(rest).encode()}
        answer = await self._answer_of_api(scope, receive, now)
        if answer.status != 200:
            return answer, None
        if kind == "cut":
            return answer, max(1, len(answer.body) // 2)
        if kind == "bad_json":
            part = answer.body[: max(1, len(answer.body) * 2 // 3)]
            return Answer(200, answer.headers, part), None
        if kind == "empty":
            return Answer(200, answer.headers, emptied(answer.body)), None
        if kind == "stuck":
            return Answer(200, answer.headers, stuck(answer.body, pairs)), None
        return answer, None

    async def _answer_of_api(self, scope: Scope, receive: Receive, now: int) -> Answer:
        if self.cdn is None:
            return await collect(self.inner, scope, receive)
        kept = self.cdn.get(scope, now)
        if kept is not None:
            return kept
        return self.cdn.put(scope, now, await collect(self.inner, scope, receive))


async def collect(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    """The whole answer of the inner application."""
    status = 500
    headers: list[tuple[bytes, bytes]] = []
    chunks: list[bytes] = []

    async def keep(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = list(message.get("headers", []))
        else:
            chunks.append(message.get("body", b""))

    await app(scope, receive, keep)
    return Answer(status, headers, b"".join(chunks))


async def respond(send: Send, answer: Answer, now: int, cut_at: int | None = None) -> None:
    """Sends the answer with the world's Date. With `cut_at`, the body ends there although the
    Content-Length promises more; returning without the rest makes the server hang up."""
    replaced = (b"content-length", b"date")
    headers = [pair for pair in answer.headers if pair[0].lower() not in replaced]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    headers.append((b"date", formatdate(now, usegmt=True).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if cut_at is None:
        await send({"type": "http.response.body", "body": answer.body})
    else:
        body = answer.body[:cut_at]
        await send({"type": "http.response.body", "body": body, "more_body": True})


def refusal(fault: Fault, path: str, now: int) -> Answer:
    """The answer of a fault that never reaches the API."""
    status = {"rate_limited": 429, "html": 200}.get(fault.kind, fault.status)
    headers: list[tuple[bytes, bytes]] = []
    if fault.retry_after is not None:
        when = formatdate(now + fault.retry_after, usegmt=True) if fault.http_date else None
        headers.append((b"retry-after", (when or str(fault.retry_after)).encode()))
    kind = "html" if fault.kind == "html" else fault.body
    if kind != "json":
        content_type, body = BODIES[kind]
        if content_type:
            headers.append((b"content-type", content_type.encode()))
        return Answer(status, headers, body)
    headers.append((b"content-type", b"application/json"))
    if path.startswith("/data-api/v2"):
        code = {429: "rate_limited", 500: "internal", 503: "dependency_unavailable"}
        value: dict[str, Any] = {
            "error": "too many requests" if status == 429 else "internal error",
            "code": code.get(status, "internal"),
            "retryable": True,
            "trace_id": data_api.trace_id(),
        }
    elif path.startswith("/dome"):
        value = {"error": "Too Many Requests" if status == 429 else "Internal Server Error"}
        value["message"] = "Rate limit exceeded" if status == 429 else "Failed to fetch data"
        if status == 429 and fault.retry_after is not None:
            value["retry_after"] = fault.retry_after
            value["rate_limit"] = {"reset_time": now + fault.retry_after}
    else:
        value = {"error": "Too Many Requests" if status == 429 else "internal server error"}
    return Answer(status, headers, encode(value))


def emptied(body: bytes) -> bytes:
    """The same answer with no rows and no next page."""
    value = msgspec.json.decode(body)
    if isinstance(value, list):
        return b"[]"
    for key in LIST_KEYS:
        if isinstance(value.get(key), list):
            value[key] = []
    value.pop("next_cursor", None)
    pagination = value.get("pagination")
    if isinstance(pagination, dict):
        pagination["has_more"] = False
        if "next_cursor" in pagination:
            pagination["next_cursor"] = None
        pagination.pop("pagination_key", None)
        for count in ("total", "count"):
            if count in pagination:
                pagination[count] = 0
    return encode(value)


def stuck(body: bytes, pairs: list[tuple[str, str]]) -> bytes:
    """The same answer, whose next cursor is the one that was sent. Page 1 stays as it is."""
    sent = next((value for name, value in pairs if name in CURSOR_PARAMETERS), None)
    value = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if sent is None:
        return body
    if "pagination" in value:
        pagination = msgspec.json.decode(value["pagination"])
        name = "next_cursor" if "next_cursor" in pagination else "pagination_key"
        pagination |= {"has_more": True, name: sent}
        value["pagination"] = msgspec.Raw(encode(pagination))
    else:
        value["next_cursor"] = msgspec.Raw(encode(sent))
    return encode(value)


async def disconnected_within(receive: Receive, seconds: float) -> bool:
    """Waits; True as soon as the client has gone away."""

    async def wait() -> None:
        while (await receive())["type"] != "http.disconnect":
            continue

    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(wait(), timeout=seconds)
        return True
    return False


async def reset(scope: Scope) -> None:
    """Ends the connection with a TCP reset."""
    transport = scope["state"]["transport"]
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    # The loop notes the end of the connection in its next round; before that it would answer 500.
    await asyncio.sleep(0)
    await asyncio.sleep(0)


class Cdn:
    """A cache in front of the Data API: within a route's max-age, the same URL gives the same
    answer with the same trace id, whatever has happened since. Only in use when asked for."""

    MAX_AGE = {"/v2/trades": 300, "/v2/oi": 300, "/v2/activity": 15, "/v2/positions": 5}

    def __init__(self) -> None:
        self._answers: dict[tuple[str, bytes], tuple[int, Answer]] = {}

    def _max_age(self, scope: Scope) -> int | None:
        return self.MAX_AGE.get(scope["path"].removeprefix("/data-api"))

    def get(self, scope: Scope, now: int) -> Answer | None:
        max_age = self._max_age(scope)
        kept = self._answers.get((scope["path"], scope["query_string"]))
        if max_age is None or kept is None or not 0 <= now - kept[0] < max_age:
            return None
        age = str(now - kept[0]).encode()
        headers = [*kept[1].headers, (b"x-cache", b"Hit from cloudfront"), (b"age", age)]
        return Answer(kept[1].status, headers, kept[1].body)

    def put(self, scope: Scope, now: int, answer: Answer) -> Answer:
        max_age = self._max_age(scope)
        if max_age is None or answer.status != 200:
            return answer
        control = f"public, max-age={max_age}".encode()
        answer = Answer(200, [*answer.headers, (b"cache-control", control)], answer.body)
        self._answers[(scope["path"], scope["query_string"])] = (now, answer)
        return answer


def json_response(value: Any, status: int = 200) -> Response:
    return Response(encode(value), status, media_type="application/json")


def control_app(source: Source, clock: Clock, faults: Faults, log: RequestLog) -> Starlette:
    """The endpoints for other processes: clock, faults, request log, statistics."""

    async def move_clock(request: Request) -> Response:
        if request.method == "POST":
            try:
                body = msgspec.json.decode(await request.body())
                if "auto_advance" in body:
                    clock.auto_advance = int(body["auto_advance"])
                if "now" in body:
                    clock.set(body["now"])
                if "advance_seconds" in body:
                    clock.advance(body["advance_seconds"])
            except (ValueError, TypeError) as error:
                return json_response({"error": str(error)}, 400)
        return json_response({"now": clock.now(), "iso": clock.iso(), "auto_advance": clock.auto_advance})

    async def change_faults(request: Request) -> Response:
        if request.method == "POST":
            try:
                fault = faults.add_from(msgspec.json.decode(await request.body()))
            except (ValueError, TypeError) as error:
                return json_response({"error": str(error)}, 400)
            return json_response(asdict(fault), 201)
        if request.method == "DELETE":
            if "id" in request.query_params:
                faults.remove(int(request.query_params["id"]))
            else:
                faults.clear()
        return json_response({"faults": faults.describe()})

    async def read_requests(request: Request) -> Response:
        if request.method == "DELETE":
            log.clear()
        return json_response({"total": log.total, "requests": [asdict(entry) for entry in log]})

    async def read_stats(request: Request) -> Response:
        counts: dict[str, int] = {}
        for entry in log:
            counts[entry.path] = counts.get(entry.path, 0) + 1
        return json_response(
            {
                "now": clock.now(),
                "iso": clock.iso(),
                "requests": log.total,
                "requests_by_path": counts,
                "faults": len(faults.describe()),
                "source": source.stats(clock.now()),
            }
        )

    return Starlette(
        routes=[
            Route("/_control/clock", move_clock, methods=["GET", "POST"]),
            Route("/_control/faults", change_faults, methods=["GET", "POST", "DELETE"]),
            Route("/_control/requests", read_requests, methods=["GET", "DELETE"]),
            Route("/_control/stats", read_stats),
        ]
    )


def create_app(
    source: Source,
    clock: Clock,
    faults: Faults | None = None,
    *,
    dome_manners: dome.Manners | None = None,
    cdn: bool = False,
    mounts: Sequence[BaseRoute] = (),
) -> Replica:
    """The replica of all APIs over one source (a synthetic world or recorded answers); `mounts` are further venues."""
    faults = faults or Faults()
    inner = Starlette(
        routes=[
            Mount("/data-api", routes=data_api.routes(source)),
            Mount("/gamma", routes=gamma.routes(source)),
            Mount("/clob", routes=clob.routes(source)),
            Mount("/dome/v1", routes=dome.routes(source, dome_manners or dome.Manners())),
            *mounts,
        ]
    )
    # The control endpoints read the log of the application they belong to.
    replica = Replica(inner, inner, clock, faults, cdn)
    replica.control = control_app(source, clock, faults, replica.requests)
    return replica
