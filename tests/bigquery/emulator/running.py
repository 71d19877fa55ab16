"""The tests' side of the emulator: a process to start, kill and start again, and what its job records say."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".emulator" / "bin" / "python"
PROJECT = "demo"
STARTS_WITHIN_SECONDS = 60
#: The machine's proxy must not be asked for an address of this computer.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def is_installed() -> bool:
    """True where `make` found a Python for the emulator and installed it."""
    return (ROOT / ".emulator" / ".installed").exists()


@dataclass
class Emulator:
    """One emulator on a port of its own, its tables in `folder`; killed or stopped, it starts again with them."""

    folder: Path
    job_delay_ms: int = 0
    project: str = PROJECT
    port: int = field(default=0)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Emulator:
        """Returns when it answers. Raises RuntimeError, with the end of its log, if it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        command = [str(PYTHON), "-m", "tests.bigquery.emulator", "--port", str(self.port)]
        command += ["--data-dir", str(self.folder), "--project", self.project, "--job-delay-ms", str(self.job_delay_ms)]
        with open(self.folder / "emulator.log", "ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                self.request("GET", "/_emulator/ready")
                return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        self.kill()
        log_text = (self.folder / "emulator.log").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"the emulator did not start:\n{log_text[-2000:]}")

    def kill(self) -> None:
        """Ends it at once, as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def destroy(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data=data, method=method, headers={"Content-Type": "application/json"}
        )
        try:
            with _OPENER.open(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode('utf-8', 'replace')}") from None

    def fail(self, *rules: Mapping[str, Any]) -> None:
        """Replaces the faults in force; none ends them. A rule's keys are those of `wire.Fault`."""
        self.request("POST", "/_emulator/faults", list(rules))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query, each value as BigQuery's JSON gives it: texts, and None for null."""
        answer = self.request(
            "POST",
            f"/bigquery/v2/projects/{self.project}/queries",
            {"query": sql, "useLegacySql": False, "timeoutMs": 60_000, "maxResults": 100_000},
        )
        return [tuple(cell["v"] for cell in row["f"]) for row in answer.get("rows", ())]

    def jobs(self) -> list[dict[str, Any]]:
        """Every job ever sent, oldest first, with configuration and statistics."""
        jobs: list[dict[str, Any]] = []
        token = ""
        while True:
            page = self.request(
                "GET", f"/bigquery/v2/projects/{self.project}/jobs?projection=full&maxResults=1000&pageToken={token}"
            )
            jobs += page.get("jobs", ())
            token = page.get("nextPageToken") or ""
            if not token:
                return sorted(jobs, key=lambda job: int(job["statistics"]["creationTime"]))

    def credentials(self, folder: Path) -> Path:
        """A credentials file of keyless federation, which only this emulator accepts; returns its path.

        A stranger's token, in a file, is exchanged for a token of Google's, as a workflow's is.
        """
        subject = folder / "subject-token"
        subject.write_text("a token of another identity provider", encoding="ascii")
        path = folder / "credentials.json"
        path.write_text(json.dumps(federation(subject, self.url + "/token")), encoding="ascii")
        return path

    def environment(self, folder: Path) -> dict[str, str]:
        """The settings that point dlt, dbt and the report here, as they would point to Google."""
        return {
            "BIGQUERY_EMULATOR_HOST": self.url,
            "DESTINATION__NAME": "bigquery",
            "DESTINATION__BIGQUERY__PROJECT_ID": self.project,
            # Otherwise the client asks Google for it.
            "GOOGLE_CLOUD_PROJECT": self.project,
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.credentials(folder)),
        }


def federation(subject: Path, token_url: str) -> dict[str, Any]:
    """What `gcloud iam workload-identity-pools create-cred-config` writes."""
    return {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/providers/ci",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": token_url,
        "credential_source": {"file": str(subject)},
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def statements(jobs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The SQL of the query jobs among `jobs`."""
    return [job["configuration"]["query"]["query"] for job in jobs if "query" in job["configuration"]]
