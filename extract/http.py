"""One paced, retrying HTTP client per venue host.

Retries, back-off and Retry-After come from dlt's requests client (settings `RUNTIME__REQUEST_*`), the pace from
requests-ratelimiter. What is left here is turning every bad answer into one sentence that names the endpoint.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.configuration.specs import RuntimeConfiguration
from dlt.sources.helpers.requests import Client as RetryingClient
from requests_ratelimiter import LimiterAdapter

from extract.settings import UsageError

Params = Mapping[str, str | int | Sequence[str]]

#: After this many requests in a row that never reached the host, later ones fail at once: a host that is down
#: must not cost every one of thousands of walks a full cycle of retries.
UNREACHABLE_LIMIT = 3

SNIPPET_LENGTH = 160
PATH_LENGTH = 120

#: The longest wait before a call is made again.
MOST_SECONDS_BETWEEN = 60.0


class VenueError(Exception):
    """A venue did not answer as its API promises; the message names endpoint, status and the first bytes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One successful answer: the body's bytes, untouched, and the venue's clock when it was sent."""

    body: bytes
    venue_time: datetime


class VenueClient:
    """GETs JSON from one base URL at a set pace, from any number of threads.

    Args:
        base_url: scheme, host and optional prefix; paths are appended to it.
        setting: name of the setting that holds `base_url`, for error messages.
        requests_per_second: pace shared by all threads; retries count too.
        headers: sent with each request, for example the authorization.
        secrets: texts that must never leave this object; they are cut out of error messages.
        other_urls: further hosts of the venue that `post` may name, each with the setting that holds it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        setting: str,
        requests_per_second: float,
        headers: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
        other_urls: Mapping[str, str] | None = None,
    ) -> None:
        urls = {base_url: setting, **(other_urls or {})}
        for url, name in urls.items():
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
                raise UsageError(f"{name} must be an http(s) URL, got {url!r}")
        self.base_url = base_url.rstrip("/")
        self._setting = setting
        self._backoff = float(resolve_configuration(RuntimeConfiguration()).request_backoff_factor)
        self._secrets = tuple(secret for secret in secrets if secret)
        self._lock = threading.Lock()
        self._unreachable = 0
        self._adapter = _CountingAdapter(per_second=requests_per_second, pool_maxsize=64)
        self._client = RetryingClient(
            raise_for_status=False,
            retry_condition=_is_success_without_json,
            session_attrs={
                "adapters": OrderedDict((url.rstrip("/"), self._adapter) for url in urls),
                "headers": {"Accept": "application/json", **(headers or {})},
                # The environment's .netrc must not override the venue's own authorization.
                "trust_env": False,
            },
        )
        self._client.configure()

    @property
    def requests_made(self) -> int:
        """Requests sent so far, retries included."""
        return self._adapter.sent

    def get(self, path: str, params: Params) -> Answer:
        """Returns the answer to GET base_url + path.

        Raises:
            VenueError: the host cannot be reached, or did not answer 200 with JSON after all retries.
        """
        with self._sending(path):
            response = self._client.get(self.base_url + path, params=dict(params))
        if response.status_code != 200 or _is_success_without_json(response, None):
            raise VenueError(self._clean(_answer_message(path, response)))
        return Answer(response.content, venue_time(response))

    def post(self, url: str, **request: Any) -> requests.Response:
        """Returns the answer to a POST, as a `requests.Session` would, for client libraries that are given a session.

        Raises:
            VenueError: the host cannot be reached.
        """
        with self._sending(urlsplit(url).path):
            return self._client.post(url, **request)

    def backoff(self, attempt: int) -> float:
        """Seconds to wait before a call is made again that failed `attempt` + 1 times, as between other retries."""
        return min(self._backoff * 2.0**attempt, MOST_SECONDS_BETWEEN)

    @contextmanager
    def _sending(self, path: str) -> Iterator[None]:
        """Around one request: not made where the host is known to be down; its failure becomes one sentence."""
        if self._unreachable >= UNREACHABLE_LIMIT:
            raise VenueError(f"{self.base_url} cannot be reached and was not tried again; check {self._setting}")
        try:
            yield
        except requests.RequestException as error:
            if isinstance(error, requests.ConnectionError):
                with self._lock:
                    self._unreachable += 1
            raise VenueError(self._clean(self._transport_message(path, error))) from None
        with self._lock:
            self._unreachable = 0

    def close(self) -> None:
        """Stops the pacing thread and drops the connections."""
        self._adapter.close()

    def _transport_message(self, path: str, error: requests.RequestException) -> str:
        if isinstance(error, requests.Timeout):
            return f"{self.base_url}{_shortened(path)} did not answer in time"
        if isinstance(error, requests.exceptions.ChunkedEncodingError):
            return f"{self.base_url}{_shortened(path)} broke off in the middle of its answer"
        return f"{self.base_url} cannot be reached ({_root_cause(error)}); check {self._setting}"

    def _clean(self, message: str) -> str:
        for secret in self._secrets:
            message = message.replace(secret, "***")
        return "".join(char if char.isprintable() else " " for char in message)


class _CountingAdapter(LimiterAdapter):
    """Paces, and counts what is really sent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._count_lock = threading.Lock()
        self.sent = 0

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        with self._count_lock:
            self.sent += 1
        response: requests.Response = super().send(request, *args, **kwargs)
        return response


def _is_success_without_json(response: requests.Response | None, _: BaseException | None) -> bool:
    """True for a 200 that holds no JSON object or list, such as a proxy's HTML page."""
    if response is None or response.status_code != 200:
        return False
    return response.content.lstrip()[:1] not in (b"{", b"[")


def _answer_message(path: str, response: requests.Response) -> str:
    kind = response.headers.get("Content-Type", "no content type").split(";")[0]
    snippet = response.content[:SNIPPET_LENGTH].decode("utf-8", "replace")
    what = "answered 200 without JSON" if response.status_code == 200 else f"answered {response.status_code}"
    return f"{_shortened(path)} {what} ({kind}): {snippet}"


def _shortened(path: str) -> str:
    """A path can name hundreds of ids; the message must still say what went wrong."""
    return path if len(path) <= PATH_LENGTH else f"{path[: PATH_LENGTH // 2]}…{path[-PATH_LENGTH // 2 :]}"


def _root_cause(error: BaseException) -> str:
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return f"{type(error).__name__}: {error}"


def venue_time(response: requests.Response) -> datetime:
    """The Date header (RFC 9110, whole seconds), or our own clock where a venue sends none, less what a cache says.

    A cached answer knows nothing of its last `Age` seconds (300 have been seen); some caches renew the date.
    """
    try:
        date = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        date = datetime.now(UTC)
    age = response.headers.get("Age", "")
    return date - timedelta(seconds=int(age)) if age.isdecimal() and len(age) < 8 else date
