"""Processor time, resident memory, and processes of our own to measure them in."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_SECONDS = 0.1
MEGABYTE = 1_000_000


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Where everything of one benchmark lies, and goes with it."""
    with tempfile.TemporaryDirectory(prefix="polyomega-bench-") as folder:
        yield Path(folder)


def cpu_seconds() -> float:
    """User and system time of this process, all its threads, and its children that have ended."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def machine() -> str:
    """The computer that a figure belongs to."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, {platform.machine()}"


def load_warning() -> str | None:
    """A sentence where others keep the processors busy, so that times say little."""
    one_minute = os.getloadavg()[0]
    if one_minute < 0.5:
        return None
    return f"The load average was {one_minute:.1f} before the start: others were using the processors too."


@dataclass
class ResidentMemory:
    """Resident memory of a process and its children, sampled from a thread until the block ends."""

    process: psutil.Process
    samples: list[float] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    @staticmethod
    @contextmanager
    def of(pid: int) -> Iterator[ResidentMemory]:
        memory = ResidentMemory(psutil.Process(pid))
        thread = threading.Thread(target=memory._sample, daemon=True)
        thread.start()
        try:
            yield memory
        finally:
            memory._ended.set()
            thread.join()

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            try:
                tree = [self.process, *self.process.children(recursive=True)]
                self.samples.append(sum(process.memory_info().rss for process in tree) / MEGABYTE)
            except psutil.NoSuchProcess:
                # A child that ended between two looks; or the process itself, and then the block is about to end.
                continue

    @property
    def highest(self) -> float:
        return max(self.samples)

    @property
    def thirds(self) -> tuple[float, float]:
        """Medians of the first and last third of the samples, the first tenth being left out as warm-up."""
        warm = self.samples[len(self.samples) // 10 :]
        third = max(1, len(warm) // 3)
        return statistics.median(warm[:third]), statistics.median(warm[-third:])


@dataclass(frozen=True)
class Measured:
    """What a client process said about itself, and the memory that it was seen to use."""

    result: dict[str, Any]
    memory: ResidentMemory


def run_client(
    task: str, arguments: Mapping[str, Any], environment: Mapping[str, str], module: str = "benchmarks.client"
) -> Measured:
    """Runs a task of a module in a process of its own. It imports what it needs, says so, waits for a sign, works, and
    ends with one line of JSON; memory is sampled while it works.

    Raises:
        RuntimeError: the client failed; the message is what it printed.
    """
    with tempfile.TemporaryFile("w+") as errors:
        client = subprocess.Popen(
            [sys.executable, "-m", module, task, json.dumps(arguments)],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        with ended(client):
            assert client.stdin is not None and client.stdout is not None
            client.stdout.readline()
            with ResidentMemory.of(client.pid) as memory:
                try:
                    client.stdin.write("go\n")
                    client.stdin.flush()
                except BrokenPipeError:
                    pass  # It ended before it was ready; what it printed tells why.
                line = client.stdout.readline()
        if not line:
            errors.seek(0)
            raise RuntimeError(f"the {task} client failed:\n{errors.read()[-4000:]}")
    return Measured(json.loads(line), memory)


@contextmanager
def ended(process: subprocess.Popen[Any]) -> Iterator[None]:
    """Leaves no process behind."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


@contextmanager
def timed(into: list[float]) -> Iterator[None]:
    """Appends the seconds that the block took by the clock."""
    start = time.perf_counter()
    yield
    into.append(time.perf_counter() - start)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
