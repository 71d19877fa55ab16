"""What the tests on BigQuery share: the emulator, and the rule of what happens where it cannot run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.bigquery.emulator.running import Emulator, is_installed

WHY_NOT = "the local BigQuery is not installed: no Python 3.13 or newer was found (tools/install_emulator.sh)"


@pytest.fixture(scope="session")
def needs_emulator() -> None:
    """Skips where the emulator is not installed; fails where CI is set, because there its proofs are required."""
    if is_installed():
        return
    if os.environ.get("CI"):
        pytest.fail(WHY_NOT)
    pytest.skip(WHY_NOT)


@pytest.fixture(scope="module")
def emulator(needs_emulator: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for all tests of a module."""
    running = Emulator(tmp_path_factory.mktemp("emulator") / "data").start()
    try:
        yield running
    finally:
        running.destroy()
