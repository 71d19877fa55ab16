"""What the make targets run: the demo keeps to itself, and no step follows one that left nothing to go on with."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import demo  # noqa: E402  # a script's folder is on the path only when the script runs
import sync  # noqa: E402

URL = "http://127.0.0.1:1"


def test_demo_never_reaches_a_real_warehouse_or_venue(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "DESTINATION__NAME",
        "DESTINATION__DUCKDB__CREDENTIALS",
        "DESTINATION__BIGQUERY__CREDENTIALS",
        "SOURCES__POLYMARKET__DATA_API_URL",
        "SOURCES__POLYMARKET__GAMMA_API_URL",
        "DOME_API_KEY",
        "DBT_TARGET",
        "DBT_PROFILES_DIR",
        "PIPELINES_DIR",
    ):
        monkeypatch.setenv(name, "real")
    environment = demo.environment(URL)
    assert "real" not in environment.values()
    assert environment["DESTINATION__DUCKDB__CREDENTIALS"] == "demo.duckdb"
    assert environment["PATH"] == os.environ["PATH"]


def test_demo_replica_answers_and_ends_with_the_demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo, "FOLDER", tmp_path)
    monkeypatch.setattr(demo, "BIN", Path(sys.executable).parent)
    monkeypatch.setattr(demo, "WORLD", ("--seed", "1", "--wallets", "5", "--markets", "5", "--fills", "20"))
    with demo.replica() as url, urllib.request.urlopen(f"{url}/_control/stats") as answer:
        assert answer.status == 200
    with pytest.raises(OSError):
        urllib.request.urlopen(f"{url}/_control/stats")


def test_demo_says_where_to_look_when_the_replica_does_not_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demo, "FOLDER", tmp_path)
    monkeypatch.setattr(demo, "BIN", Path(sys.executable).parent)
    monkeypatch.setattr(demo, "WORLD", ("--no-such-option",))
    with pytest.raises(SystemExit, match="replica.log"), demo.replica():
        pytest.fail("the demo went on without a replica")
    assert "--no-such-option" in (tmp_path / "replica.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("fetched", "built", "steps", "code"),
    [
        (0, 0, ["dlt pipeline run --top 3", "dbt --quiet build", "report leaderboard", "report summary"], 0),
        # Some walks failed: what did arrive is built and shown, and the exit code still tells.
        (1, 0, ["dlt pipeline run --top 3", "dbt --quiet build", "report leaderboard", "report summary"], 1),
        (2, 0, ["dlt pipeline run --top 3"], 2),
        (3, 0, ["dlt pipeline run --top 3"], 3),
        (0, 1, ["dlt pipeline run --top 3", "dbt --quiet build"], 1),
    ],
)
def test_steps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fetched: int, built: int, steps: list[str], code: int
) -> None:
    calls = tmp_path / "calls"
    for name, exit_code in (("dlt", fetched), ("dbt", built), ("python", 0)):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {calls}\nexit {exit_code}\n', encoding="utf-8")
        program.chmod(0o755)
    (tmp_path / "run_results.json").write_text(
        '{"results": [{"unique_id": "model.polyomega.trades"}, {"unique_id": "test.polyomega.x.1"}]}', encoding="utf-8"
    )
    monkeypatch.setattr(sync, "BIN", tmp_path)
    environment = {"PATH": os.environ["PATH"], "DBT_TARGET_PATH": str(tmp_path)}
    assert sync.fetch_build_report(["--top", "3"], environment, top=5) == code
    made = calls.read_text(encoding="utf-8").replace("python -m ", "").replace(" --top 5", "").splitlines()
    assert made == steps


def test_profile_is_made_once_and_never_overwritten(tmp_path: Path) -> None:
    for name in ("Makefile", "profiles.yml.example"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())

    def make() -> None:
        subprocess.run(["make", "profiles.yml"], cwd=tmp_path, capture_output=True, check=True)

    make()
    assert (tmp_path / "profiles.yml").read_bytes() == (ROOT / "profiles.yml.example").read_bytes()
    (tmp_path / "profiles.yml").write_text("mine", encoding="utf-8")
    (tmp_path / "profiles.yml.example").touch()
    make()
    assert (tmp_path / "profiles.yml").read_text(encoding="utf-8") == "mine"


def test_install_names_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    script = tmp_path / "tools" / "install.sh"
    script.write_bytes((ROOT / "tools" / "install.sh").read_bytes())
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    shown = subprocess.run(
        ["sh", str(script), "requirements/run.txt"],
        env={"PATH": os.environ["PATH"], "PYTHON": str(old)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 2
    assert "Python 3.11 or newer is needed" in shown.stderr


def emulator_installer(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    script = tmp_path / "tools" / "install_emulator.sh"
    script.write_bytes((ROOT / "tools" / "install_emulator.sh").read_bytes())
    return script


@pytest.mark.parametrize(("ci", "code"), [({}, 0), ({"CI": "true"}, 2)])
def test_without_a_python_for_the_emulator_the_missing_proofs_are_named_and_required_in_ci(
    tmp_path: Path, ci: dict[str, str], code: int
) -> None:
    script = emulator_installer(tmp_path)
    shown = subprocess.run(
        ["sh", str(script)],
        env={"PATH": os.environ["PATH"], "EMULATOR_PYTHON": "/no/such/python", **ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == code
    assert "No Python 3.13 or newer was found" in shown.stdout
    assert "NOT RUN without it: tests/bigquery" in shown.stdout
    assert not (tmp_path / ".emulator").exists()


@pytest.mark.parametrize(("stub", "root"), [("stubs", "PYENV_ROOT"), ("pyenv/shims", "HOME")])
def test_a_version_managers_stub_on_the_path_is_passed_over_for_its_real_version(
    tmp_path: Path, stub: str, root: str
) -> None:
    """Its versions are found by its own variable, or behind the stub."""
    script = emulator_installer(tmp_path)
    stubs, real = tmp_path / stub, tmp_path / "pyenv" / "versions" / "3.13.1" / "bin"
    for folder, text in (
        (stubs, "#!/bin/sh\necho 'command not found' >&2\nexit 127\n"),
        # Suits, makes an environment that is itself again, and notes what is asked of it.
        (
            real,
            "#!/bin/sh\n"
            f'echo "$*" >> {tmp_path}/calls\n'
            'case "$*" in *venv\\ --clear*) mkdir -p .emulator/bin && cp "$0" .emulator/bin/python;; esac\n',
        ),
    ):
        folder.mkdir(parents=True)
        for name in ("python", "python3", "python3.13", "python3.14", "uv"):
            (folder / name).write_text(text, encoding="utf-8")
            (folder / name).chmod(0o755)
    shown = subprocess.run(
        ["sh", str(script)],
        env={"PATH": f"{stubs}:/usr/bin:/bin", root: str(tmp_path / ("pyenv" if root == "PYENV_ROOT" else "home"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert [call for call in calls if call.startswith("-m venv")] == ["-m venv --clear .emulator"]
    assert "--require-hashes --no-deps -r requirements/emulator.txt" in calls[-1]
    assert (tmp_path / ".emulator" / ".installed").exists()
