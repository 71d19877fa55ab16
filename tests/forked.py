"""dbt, imported once: its commands in tests are forks of a process that has read its modules already.

Starting dbt is half of a short command of it, and the tests run hundreds. A fork is a process of its own, with its own
environment, folder and output, and goes through dbt's own entry point; only the import is shared. Nothing but that is
done before the fork: no thread runs, no file is open, no setting is read.

    python -m tests.forked SOCKET     serves until its standard input ends
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


def run_dbt(arguments: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What `subprocess.run` of dbt with captured output would give."""
    request = json.dumps({"arguments": list(arguments), "cwd": str(cwd), "environment": dict(environment)}).encode()
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection,
    ):
        connection.connect(server())
        socket.send_fds(connection, [request], [out.fileno(), err.fileno()])
        answer = connection.recv(64)
        if not answer:
            raise RuntimeError(f"dbt {' '.join(arguments)} never ended")
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8"))
    return subprocess.CompletedProcess(["dbt", *arguments], int(answer), *texts)


@functools.cache
def server() -> str:
    """The address of this process's own server, which ends with it."""
    folder = tempfile.TemporaryDirectory(prefix="polyomega-dbt-")
    address = os.path.join(folder.name, "socket")
    command = [sys.executable, "-m", "tests.forked", address]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"LANG": "C.UTF-8"}, stdin=subprocess.PIPE)
    lifeline = process.stdin
    assert lifeline is not None

    def end() -> None:
        lifeline.close()
        process.wait()
        folder.cleanup()

    atexit.register(end)
    waited = time.monotonic()
    while not os.path.exists(address):
        if process.poll() is not None or time.monotonic() - waited > START_SECONDS:
            raise RuntimeError("the process that dbt is forked from did not start")
        time.sleep(0.05)
    return address


def serve(address: str) -> None:
    from dbt.cli.main import cli

    # Commands are short: what they leave goes with them, and looking for it takes a tenth of their time.
    gc.disable()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address + ".new")
    listener.listen()
    os.rename(address + ".new", address)
    with selectors.DefaultSelector() as selector:
        for source in (listener, sys.stdin):
            selector.register(source, selectors.EVENT_READ)
        while sys.stdin not in (ready := [key.fileobj for key, _ in selector.select()]):
            assert ready == [listener]
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                watch(connection, cli)
            connection.close()


def watch(connection: socket.socket, cli: Any) -> None:
    """Runs one command in a process of its own, and answers with its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, files, _, _ = socket.recv_fds(connection, 1 << 20, 2)
    command = os.fork()
    if command == 0:
        connection.close()
        told = json.loads(request)
        begin(told, files)
        sys.argv[:] = ["dbt", *told["arguments"]]
        sys.exit(cli())
    _, status = os.waitpid(command, 0)
    connection.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def begin(request: Mapping[str, Any], files: Sequence[int]) -> None:
    """Makes this process what a new one would be."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (files[0], 1), (files[1], 2)):
        os.dup2(source, target)
        os.close(source)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()


if __name__ == "__main__":
    serve(sys.argv[1])
