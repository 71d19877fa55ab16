"""What runs on a schedule: workflows, deployment scripts, alerts. Nothing here reaches the outside."""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from tests.conftest import BIN, ROOT, Project

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = [*sorted((ROOT / "deploy").glob("*.sh")), *sorted((ROOT / "tools").glob("*.sh")), ROOT / ".ci" / "run"]
SECRET = "a-key-that-nobody-may-see"


def shellcheck(*arguments: str, script: str | None = None) -> str:
    checked = subprocess.run(
        [str(BIN / "shellcheck"), "--color=never", *arguments],
        cwd=ROOT,
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )
    return checked.stdout + checked.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_scripts_pass_shellcheck(script: Path) -> None:
    assert shellcheck("--external-sources", str(script)) == ""


# -- workflows ---------------------------------------------------------------------------------------------------------


def loaded(path: Path) -> dict[Any, Any]:
    workflow: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return workflow


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in loaded(path)["jobs"].values():
        yield from job["steps"]


def test_workflows_are_what_github_takes(tmp_path: Path) -> None:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows"]
    checked = subprocess.run([*command, *map(str, WORKFLOWS)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    # That the check sees anything at all.
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS[0].read_text(encoding="utf-8").replace("runs-on", "runs-at"), encoding="utf-8")
    assert subprocess.run([*command, str(broken)], capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_are_bounded_pinned_and_take_no_text_as_code(path: Path) -> None:
    workflow = loaded(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert "concurrency" in workflow
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] > 0
    for step in steps(path):
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), step
        assert "${{" not in step.get("run", ""), "an expression in a script is code for whoever writes it"
        assert "secrets." not in step.get("run", "")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_scripts_in_workflows_pass_shellcheck(path: Path) -> None:
    for step in steps(path):
        if "run" in step:
            assert shellcheck("--shell=bash", "-", script=step["run"]) == "", step["run"]


def test_scripts_named_in_workflows_exist_and_can_be_run() -> None:
    for path in WORKFLOWS:
        for step in steps(path):
            for name in re.findall(r"(?:^|\s)((?:deploy|tools|\.ci)/[\w.]+)", step.get("run", "")):
                assert (ROOT / name).exists(), name
                assert name.endswith(".py") or os.access(ROOT / name, os.X_OK), name


def test_the_sync_runs_every_half_hour_alone_and_for_half_an_hour_at_most() -> None:
    workflow = loaded(ROOT / ".github" / "workflows" / "sync.yml")
    # YAML reads the bare word `on` as true.
    [schedule] = workflow[True]["schedule"]
    minutes = [int(minute) for minute in schedule["cron"].split()[0].split(",")]
    assert minutes[1] - minutes[0] == 30 and schedule["cron"].split()[1:] == ["*"] * 4
    assert workflow["concurrency"] == {"group": "warehouse", "cancel-in-progress": False}
    assert {job["timeout-minutes"] for job in workflow["jobs"].values()} == {30}
    assert int(workflow["env"]["FETCH_SECONDS"]) < 30 * 60


def test_the_shards_of_a_backfill_are_all_of_them(tmp_path: Path) -> None:
    workflow = loaded(ROOT / ".github" / "workflows" / "backfill.yml")
    [step] = workflow["jobs"]["shards"]["steps"]
    for shards, code, listed in (("4", 0, [1, 2, 3, 4]), ("1", 0, [1]), ("0", 2, None), ("4; echo", 2, None)):
        output = tmp_path / "output"
        output.write_text("")
        environment = {"PATH": os.environ["PATH"], "SHARDS": shards, "GITHUB_OUTPUT": str(output)}
        ended = subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], env=environment, check=False)
        assert ended.returncode == code
        assert listed is None or json.loads(output.read_text().removeprefix("list=")) == listed


# -- one run of the schedule -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codes", "settings", "ended", "called"),
    [
        ({}, {}, 0, ["dlt pipeline run --top 3", "dbt --quiet build --selector half_hourly", "python tools/alert.py"]),
        ({}, {"BUILD": "all"}, 0, ["dlt pipeline run --top 3", "dbt --quiet build", "python tools/alert.py"]),
        # What arrived is built; the exit code still tells.
        ({"run": 1}, {}, 1, ["dlt", "dbt", "python"]),
        ({"run": 3}, {}, 3, ["dlt", "dbt", "python"]),
        ({"run": 2}, {}, 2, ["dlt"]),
        ({"dbt": 1}, {}, 1, ["dlt", "dbt", "python"]),
        ({"python": 1}, {}, 1, ["dlt", "dbt", "python"]),
        ({"python": 1}, {"ALERTS_FAIL": "0"}, 0, ["dlt", "dbt", "python"]),
        # No tables yet.
        (
            {"status": 2},
            {"BUILD": ""},
            0,
            ["dlt pipeline run --top 3", "dlt pipeline status", "dbt --quiet build", "p"],
        ),
    ],
)
def test_a_scheduled_run(
    tmp_path: Path, codes: dict[str, int], settings: dict[str, str], ended: int, called: list[str]
) -> None:
    calls = tmp_path / "calls"
    for name in ("dlt", "dbt", "python"):
        cases = "".join(f'case "$*" in *{word}*) exit {code};; esac\n' for word, code in codes.items() if name == "dlt")
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {calls}\n{cases}exit {codes.get(name, 0)}\n')
        program.chmod(0o755)
    environment = {
        "PATH": os.environ["PATH"],
        "POLYOMEGA_BIN": str(tmp_path),
        "DBT_PROFILES_DIR": str(tmp_path),
        "BUILD": "half_hourly",
        **settings,
    }
    process = subprocess.run(
        [str(ROOT / "deploy" / "sync.sh"), "--top", "3"], env=environment, capture_output=True, check=False
    )
    assert process.returncode == ended, process.stderr
    lines = calls.read_text().splitlines()
    assert len(lines) == len(called)
    assert all(line.startswith(start) for line, start in zip(lines, called, strict=True)), lines


# -- Cloud Run ---------------------------------------------------------------------------------------------------------

#: Writes down what it was called with. What reads standard input gets it, and it is not written down.
STUB = """#!{python}
import json, os, sys
name = os.path.basename(sys.argv[0])
read = sys.stdin.read() if "--data-file=-" in sys.argv else ""
with open({calls!r}, "a") as calls:
    calls.write(json.dumps([name, *sys.argv[1:]]) + "\\n")
with open({inputs!r}, "a") as inputs:
    inputs.write(read)
sys.exit(1 if "describe" in sys.argv and {is_new!r} else 0)
"""


def deployed(folder: Path, script: str, is_new: bool) -> tuple[list[list[str]], str, str]:
    """Calls that a script made, what it printed, and what it handed over by standard input."""
    calls, inputs = folder / "calls", folder / "inputs"
    for name in ("gcloud", "docker", "bq"):
        stub = folder / name
        stub.write_text(STUB.format(python=sys.executable, calls=str(calls), inputs=str(inputs), is_new=is_new))
        stub.chmod(0o755)
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "GCP_PROJECT_ID": "my-project",
        "DOME_API_KEY": SECRET,
        "RUNTIME__SLACK_INCOMING_HOOK": f"https://hooks.slack.com/services/{SECRET}",
        "NEXT_PUBLIC_SUPABASE_URL": "https://example.supabase.co",
    }
    process = subprocess.run(
        [str(ROOT / "deploy" / script)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    made = [json.loads(line) for line in calls.read_text().splitlines()]
    return made, process.stdout + process.stderr, inputs.read_text()


@pytest.mark.parametrize("is_new", [True, False], ids=["first", "again"])
def test_the_deployment_does_its_eight_steps_and_shows_no_secret(tmp_path: Path, is_new: bool) -> None:
    calls, printed, handed_over = deployed(tmp_path, "deploy.sh", is_new)
    assert [int(step) for step in re.findall(r"^Step (\d)", printed, re.MULTILINE)] == list(range(1, 9))
    assert SECRET not in printed and SECRET not in json.dumps(calls)
    assert handed_over == SECRET + f"https://hooks.slack.com/services/{SECRET}"
    texts = [" ".join(call) for call in calls]
    [job] = [text for text in texts if text.startswith("gcloud run jobs deploy")]
    for wanted in ("--cpu=2", "--memory=2Gi", "--task-timeout=1800", "--max-retries=2"):
        assert wanted in job
    assert "DOME_API_KEY=polyomega-dome-api-key:latest" in job
    verb = "create" if is_new else "update"
    [schedule] = [text for text in texts if text.startswith(f"gcloud scheduler jobs {verb} http")]
    assert "--schedule=*/30 * * * *" in schedule
    assert any("repositories create" in text for text in texts) == is_new
    order = [text.split()[:3] for text in texts if text.startswith(("docker", "gcloud run jobs deploy"))]
    assert [" ".join(words[:2]) for words in order] == ["docker build", "docker push", "gcloud run"]


PARSE = """
import json, sys
sys.path[:0] = [{lib!r}, {lib!r} + "/third_party"]
from googlecloudsdk import gcloud_main
cli = gcloud_main.CreateCLI([])
parser = cli._CLI__parser
for line in sys.stdin:
    arguments = json.loads(line)
    try:
        parser.parse_args(arguments)
    except SystemExit as refused:
        print(json.dumps([arguments, str(refused.code)]))
"""


def gcloud_library() -> Path | None:
    found = shutil.which("gcloud")
    library = Path(found).resolve().parent.parent / "lib" if found else None
    return library if library and (library / "googlecloudsdk").is_dir() else None


def gcloud_refuses(calls: list[list[str]], folder: Path) -> list[Any]:
    """Calls that gcloud's own parser does not take."""
    library = gcloud_library()
    assert library is not None
    bundled = library.parent / "platform" / "bundledpythonunix" / "bin" / "python3"
    parsed = subprocess.run(
        [str(bundled) if bundled.exists() else sys.executable, "-c", PARSE.format(lib=str(library))],
        input="".join(json.dumps(call[1:]) + "\n" for call in calls if call[0] == "gcloud"),
        env={"PATH": os.environ["PATH"], "CLOUDSDK_CONFIG": str(folder / "config"), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert parsed.returncode == 0, parsed.stderr
    return [json.loads(line) for line in parsed.stdout.splitlines() if line.startswith("[")]


@pytest.mark.skipif(gcloud_library() is None, reason="gcloud is not installed: its parser cannot be asked")
def test_gcloud_takes_every_call(tmp_path: Path) -> None:
    calls = []
    for script, is_new in (("deploy.sh", True), ("deploy.sh", False), ("test.sh", False)):
        folder = tmp_path / f"{script}-{is_new}"
        folder.mkdir()
        calls += deployed(folder, script, is_new)[0]
    assert len([call for call in calls if call[0] == "gcloud"]) > 30
    assert gcloud_refuses(calls, tmp_path) == []
    # That its parser is asked at all.
    assert len(gcloud_refuses([["gcloud", "run", "jobs", "deploy", "x", "--imagee=y"]], tmp_path)) == 1


def dockerfile() -> list[tuple[str, str]]:
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, rest in lines]


def test_the_image_is_made_of_what_is_there_and_runs_as_nobody_special() -> None:
    instructions = dockerfile()
    words = [word for word, _ in instructions]
    assert words[0] == "FROM" and words[-1] == "ENTRYPOINT"
    assert words.index("USER") < [rest for _, rest in instructions].index("tools/install.sh requirements/run.txt")
    [program] = json.loads(instructions[-1][1])
    for name in (program, "tools/install.sh"):
        assert os.access(ROOT / name, os.X_OK)
    assert (ROOT / "requirements" / "run.txt").exists()
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for secret in (".dlt/secrets.toml", ".env", "profiles.yml", "gha-creds-*.json", "*.duckdb", ".git"):
        assert secret in ignored


@pytest.mark.skipif(os.environ.get("POLYOMEGA_SOAK") != "1", reason="a minute of installing: make soak")
def test_the_steps_of_the_image_run_in_a_plain_environment(tmp_path: Path, project: Project) -> None:
    """Without a container engine: what is not ignored is copied, and the RUN lines after the user's are run there."""
    folder = tmp_path / "app"
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    names = [line.removeprefix("**/") for line in ignored if line and not line.startswith("#")]
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*(Path(name).name for name in names)))
    instructions = dockerfile()
    after = instructions[[word for word, _ in instructions].index("USER") :]
    kept = {name: os.environ[name] for name in os.environ if name.startswith("PIP_")}
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **kept}
    for word, rest in after:
        if word == "RUN":
            subprocess.run(["sh", "-c", rest], cwd=folder, env=environment, check=True)
    [program] = json.loads(instructions[-1][1])
    dead = {"SOURCES__POLYMARKET__DATA_API_URL": "nowhere", "DESTINATION__NAME": "duckdb"}
    ended = subprocess.run([program], cwd=folder, env=environment | dead, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and "must be an http(s) URL" in ended.stderr


# -- alerts ------------------------------------------------------------------------------------------------------------


@contextmanager
def receiver(status: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A webhook on this computer: its secret address, and what it was told."""
    told: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/services/{SECRET}", told
        server.shutdown()


def watched(project: Project, *, is_raised: bool, age: timedelta) -> None:
    """A warehouse with what the alerts are told from."""
    with duckdb.connect(project.warehouse) as connection:
        connection.execute("create schema if not exists polyomega; create schema if not exists raw_polymarket")
        connection.execute(
            "create or replace table polyomega.alerts as select 'gaps' as alert, 'holes by <!channel> & more'"
            f" as meaning, cast(21 as double) as measured, cast(20 as double) as allowed, {is_raised} as is_raised"
        )
        connection.execute("create or replace table polyomega.daily_sync_checkpoint as select 'polymarket' as venue")
        ended = (datetime.now(UTC) - age).isoformat()
        connection.execute(f"create or replace table raw_polymarket.runs as select timestamptz '{ended}' as ended_at")


def alert(project: Project, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return project.run(["python", "tools/alert.py", *arguments], **more)


def test_alerts_are_told_everywhere_and_the_hook_is_not(project: Project, tmp_path: Path) -> None:
    watched(project, is_raised=True, age=timedelta(days=3))
    page = tmp_path / "page.md"
    with receiver(200) as (hook, told):
        ended = alert(project, RUNTIME__SLACK_INCOMING_HOOK=hook, GITHUB_STEP_SUMMARY=str(page))
    assert ended.returncode == 1, ended.stderr
    assert "ALERT gaps: holes by <!channel> & more: 21, allowed 20" in ended.stdout
    assert "ALERT freshness: raw_polymarket: the last run ended at" in ended.stdout
    assert page.read_text().count("\n* ") == 2
    [message] = told
    assert "&lt;!channel&gt; &amp; more: 21" in message["text"] and message["mrkdwn"] is False
    assert SECRET not in ended.stdout + ended.stderr + page.read_text()

    # Mended: nothing is told, and nothing sent.
    watched(project, is_raised=False, age=timedelta(minutes=5))
    with receiver(200) as (hook, told):
        mended = alert(project, RUNTIME__SLACK_INCOMING_HOOK=hook)
    assert (mended.returncode, mended.stdout, told) == (0, "No alert.\n", []), mended.stderr


def test_a_webhook_that_refuses_or_is_not_there_is_told_without_its_address(project: Project) -> None:
    with receiver(404) as (hook, told):
        refused = alert(project, "--message", "The sync failed", RUNTIME__SLACK_INCOMING_HOOK=hook)
    assert told[0]["text"] == "polyomega\nmessage: The sync failed"
    gone = alert(project, "--message", "The sync failed", RUNTIME__SLACK_INCOMING_HOOK=hook)
    for ended, why in (
        (refused, "The webhook answered 404"),
        (gone, "The webhook cannot be reached (ConnectionError)"),
    ):
        assert ended.returncode == 0 and why in ended.stderr
        assert SECRET not in ended.stdout + ended.stderr and "Traceback" not in ended.stderr


def test_without_tables_there_is_one_sentence(project: Project) -> None:
    ended = alert(project)
    assert ended.returncode == 2 and "there is no table alerts yet" in ended.stderr
