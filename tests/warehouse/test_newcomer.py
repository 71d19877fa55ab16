"""A newcomer's backfill, at a terminal of 100 columns: begun, stopped with Ctrl-C, resumed as told, looked at."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import BIN, ROOT
from tests.replica.server import serve
from tests.replica.world import build_world
from tests.warehouse.conftest import WITHOUT_TESTS, Warehouse

COLUMNS = 100
WALLETS = 200
CTRL_C = b"\x03"


class Terminal:
    """A command at a terminal of its own."""

    def __init__(self, warehouse: Warehouse, command: list[str]) -> None:
        # Held open here: while nobody has it open, the reader would take that for the end.
        self._master, self._slave = pty.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        environment = {
            name: text for name, text in warehouse.project.environment.items() if name not in ("COLUMNS", "NO_COLOR")
        }
        # The first terminal that a new session opens is the one whose Ctrl-C it gets.
        opened = 'exec <"$0" >"$0" 2>&1; exec "$@"'
        self.process = subprocess.Popen(
            ["sh", "-c", opened, os.ttyname(self._slave), *command],
            cwd=ROOT,
            env=environment | {"TERM": "xterm"},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._text = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while part := os.read(self._master, 65536):
                self._text += part
        except OSError:
            # The other side was closed.
            pass

    def press_ctrl_c_when(self, is_time: Callable[[], bool]) -> None:
        while not is_time():
            assert self.process.poll() is None, self.lines()
            time.sleep(0.02)
        os.write(self._master, CTRL_C)

    def wait(self) -> int:
        code = self.process.wait(timeout=300)
        os.close(self._slave)
        self._reader.join(timeout=10)
        os.close(self._master)
        return code

    def lines(self) -> list[str]:
        """What stood on the screen, without colours and the movements of the cursor."""
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._text.decode())
        return [line.split("\r")[-1] for line in text.replace("\r\n", "\n").split("\n")]


def test_a_backfill_is_stopped_resumed_and_shown(tmp_path: Path) -> None:
    world = build_world(seed=61, wallets=WALLETS, markets=60, fills=2500)
    with serve(world) as replica:
        warehouse = Warehouse.in_folder(tmp_path, replica)
        warehouse.project.environment["SOURCES__POLYMARKET__REQUESTS_PER_SECOND"] = "60"
        warehouse.project.environment["SOURCES__POLYMARKET__WALKS_PER_LOAD"] = "80"
        listing = tmp_path / "wallets.txt"
        listing.write_text("\n".join(world.wallets))
        command = ["dlt", "pipeline", "run", "--backfill", "--wallets", str(listing)]

        def of_wallets() -> int:
            return sum(request.path.startswith("/data-api/v2/") for request in replica.requests)

        first = Terminal(warehouse, [str(BIN / command[0]), *command[1:]])
        first.press_ctrl_c_when(lambda: of_wallets() > 200)
        code = first.wait()
        assert code == 3, first.lines()
        shown = "\n".join(first.lines())
        assert "Stopped early." in shown and "Traceback" not in shown
        told = re.search(r"To resume: (.*)", re.sub(r"\n(?=\S)", "", shown.split("Stopped early.")[1]))
        assert told and told.group(1).split() == command, shown
        asked = of_wallets()
        assert asked < 2 * WALLETS

        # As it was told.
        warehouse.project.environment["SOURCES__POLYMARKET__REQUESTS_PER_SECOND"] = "2000"
        second = Terminal(warehouse, [str(BIN / command[0]), *command[1:]])
        assert second.wait() == 0, second.lines()
        warehouse.build(*WITHOUT_TESTS)

    # Whoever was in a committed load was not read again.
    walks = "select count(*) from (select scope from raw_polymarket.walks where status = 'completed'"
    walks += " and resource in ('trades', 'activity') group by scope, resource {})"
    assert warehouse.project.query(walks.format("")) == [(2 * WALLETS,)]
    assert warehouse.project.query(walks.format("having count(*) > 1")) == [(0,)]

    status = Terminal(warehouse, [str(BIN / "dlt"), "pipeline", "status"])
    assert status.wait() == 0, status.lines()
    lines = status.lines()
    assert max(map(len, lines)) <= COLUMNS
    screen = "\n".join(lines)
    assert f"{WALLETS} of {WALLETS} wallets whole (100%)" in screen
    assert "interrupted" in screen and "completed" in screen
