"""Who follows the README's BigQuery section to the letter, in a new folder, has a warehouse, and all its tests pass.

The only things that are not as in the README: `gcloud` is a stand-in that leaves credentials where the real one does,
and the addresses of the venue and of BigQuery are those of the replica and of the local BigQuery.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bigquery.emulator.running import Emulator
from tests.bigquery.warehouse import BigQueryWarehouse
from tests.conftest import BIN, ROOT
from tests.replica.server import serve
from tests.replica.world import build_world
from tests.warehouse.conftest import SOAK, Warehouse

#: What is the checkout's own and not its owner's.
CHECKOUT = ("extract", "macros", "models", "report", "seeds", "snapshots", "tests", "tools", ".dlt")
LOGIN = """#!/bin/sh
[ "$*" = "auth application-default login" ] || { echo "gcloud $*: not in the README" >&2; exit 64; }
mkdir -p "$HOME/.config/gcloud"
cp "$HOME/credentials.json" "$HOME/.config/gcloud/application_default_credentials.json"
"""


def commands() -> str:
    """The section's commands as a script."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## BigQuery\n")[1].split("\n## ")[0]
    [block] = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    lines = [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
    assert len(lines) >= 4
    return "\n".join(["set -eu", *lines])


@pytest.mark.skipif(not SOAK, reason="minutes of building: make soak")
def test_the_readmes_commands_make_a_warehouse(needs_emulator: None, tmp_path: Path) -> None:
    script = commands()
    [project] = re.findall(r"DESTINATION__BIGQUERY__PROJECT_ID=([\w-]+)", script)
    folder, home, programs = tmp_path / "polyomega", tmp_path / "home", tmp_path / "bin"
    for name in CHECKOUT:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "secrets.toml"))
    for name in ("dbt_project.yml", "selectors.yml", "Makefile", "profiles.yml.example"):
        shutil.copy(ROOT / name, folder)
    (folder / ".venv").symlink_to(BIN.parent)
    home.mkdir()
    programs.mkdir()
    (programs / "gcloud").write_text(LOGIN, encoding="ascii")
    (programs / "gcloud").chmod(0o755)
    # As the first `make` that needs it does.
    subprocess.run(["make", "--silent", "profiles.yml"], cwd=folder, stdout=subprocess.DEVNULL, check=True)
    emulator = Emulator(tmp_path / "emulator", project=project).start()
    try:
        with serve(build_world(seed=47, wallets=5, markets=15, fills=200)) as replica:
            around = Warehouse.in_folder(tmp_path / "around", replica).project.environment
            environment = {
                name: value
                for name, value in around.items()
                # What the README says must be enough to choose these.
                if not name.startswith(("DESTINATION__", "DBT_", "PIPELINES_DIR"))
            } | {
                "HOME": str(home),
                "PATH": f"{programs}:{around['PATH']}",
                "BIGQUERY_EMULATOR_HOST": emulator.url,
                "GOOGLE_CLOUD_PROJECT": project,
            }
            emulator.credentials(home)
            done = subprocess.run(
                ["bash", "-c", script],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "ERROR=0 SKIP=0" in done.stdout
        assert "snapshot" in done.stdout and "unit test" in done.stdout
        warehouse = BigQueryWarehouse(Warehouse.in_folder(tmp_path / "seen", replica).project, emulator)
        [run] = warehouse.rows("daily_sync_checkpoint")
        assert run["status"] == "completed"
        [raw] = warehouse.query("select count(*) as n from raw_polymarket.trades")
        assert raw["n"] == run["trades_fetched"] > 0
        assert warehouse.rows("trades", "id")
        assert warehouse.rows("wallet_scores")
    finally:
        emulator.destroy()
