"""The wire in front of the emulator: tokens for made-up credentials, answers that are asked for twice, and faults."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

#: POST replaces the list of rules in force, as JSON; GET tells how many requests each has matched.
FAULTS_PATH = "/_emulator/faults"
READY_PATH = "/_emulator/ready"
TOKEN_PATH = "/token"
TOKEN = {"access_token": "emulator", "expires_in": 3600, "token_type": "Bearer"}
#: A token exchange answers with one field more than other token endpoints (RFC 8693).
EXCHANGED = TOKEN | {"issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}


@dataclass
class Fault:
    """One rule: a request whose "METHOD path" matches is answered with an error in BigQuery's form.

    Args:
        match: regular expression, searched in "METHOD path".
        status, reason, message: the error.
        skip: so many matching requests pass first.
        times: so many are answered with the error; None is all.
        after: the request is carried out, and its answer is what gets lost.
        body: searched in the request's body too, where given.
    """

    match: str
    status: int
    reason: str
    message: str
    skip: int = 0
    times: int | None = 1
    after: bool = False
    body: str | None = None
    seen: int = field(default=0, init=False)

    def answer(self) -> tuple[int, dict[str, Any]]:
        error = {"reason": self.reason, "message": self.message, "domain": "global"}
        if self.status == 401:
            error["reason"] = "authError"
        return self.status, {"error": {"code": self.status, "message": self.message, "errors": [error]}}


class Wire:
    """An ASGI application around the emulator's."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        #: Answers of finished uploads, by upload.
        self._finished: dict[str, list[dict[str, Any]]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = scope["path"]
        if path == READY_PATH:
            return await _answer(send, 200, {})
        if path == TOKEN_PATH:
            body = await _read(receive)
            fault = self._fault(f"POST {path}", body)
            if fault is not None:
                return await _answer(send, fault.status, {"error": fault.reason, "error_description": fault.message})
            return await _answer(send, 200, EXCHANGED if b"subject_token" in body else TOKEN)
        if path == FAULTS_PATH and scope["method"] == "GET":
            return await _answer(send, 200, [{"match": fault.match, "seen": fault.seen} for fault in self._faults])
        if path == FAULTS_PATH:
            rules = [Fault(**rule) for rule in json.loads(await _read(receive))]
            with self._lock:
                self._faults = rules
            return await _answer(send, 200, {})
        body = await _read(receive)
        fault = self._fault(f"{scope['method']} {path}", body)
        if fault is not None and not fault.after:
            return await _answer(send, *fault.answer())
        messages = await self._carried_out(scope, body)
        if fault is not None:
            return await _answer(send, *fault.answer())
        for message in messages:
            await send(message)
        return None

    def _fault(self, line: str, body: bytes) -> Fault | None:
        text = body.decode("utf-8", "replace")
        with self._lock:
            for fault in self._faults:
                if not re.search(fault.match, line) or (fault.body and not re.search(fault.body, text)):
                    continue
                fault.seen += 1
                if fault.seen > fault.skip and (fault.times is None or fault.seen <= fault.skip + fault.times):
                    return fault
        return None

    async def _carried_out(self, scope: Any, body: bytes) -> list[dict[str, Any]]:
        """The emulator's answer, as ASGI messages.

        A finished upload that is put again, because its answer was lost, gets the same answer again. Without it the
        client would take the job for refused: "Not found: Upload".
        """
        query = parse_qs(scope["query_string"].decode("latin-1"))
        upload = query.get("upload_id", [""])[0] if scope["method"] == "PUT" else ""
        if upload in self._finished:
            return self._finished[upload]
        messages: list[dict[str, Any]] = []
        inbound = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> dict[str, Any]:
            return next(inbound, {"type": "http.disconnect"})

        async def collect(message: dict[str, Any]) -> None:
            messages.append(message)

        await self._app(scope, receive, collect)
        if upload and messages and messages[0].get("status") == 200:
            self._finished[upload] = messages
        return messages


async def _read(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body


async def _answer(send: Any, status: int, content: Any) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
