"""`make sync`: fetch what is new, build the models, print the report. Arguments go to the extractor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"

#: Exit code of `dlt pipeline run` that still leaves something worth building: done, some walks failed.
DONE_WITH_FAILURES = 1


def say(text: str) -> None:
    print(text, flush=True)


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs one of the environment's programs from the project's root and returns its exit code."""
    say(f"\n$ {' '.join(['.venv/bin/' + command[0], *command[1:]])}")
    return subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, env=environment, check=False).returncode


def fetch_build_report(
    arguments: Sequence[str], environment: Mapping[str, str], top: int, venues: Sequence[Sequence[str]] = ()
) -> int:
    """The three steps, each only if the one before left something to go on with. A venue that failed fails alone.

    Args:
        arguments: of the run for wallets.
        venues: the further venues to read, each with the arguments of its run.
    """
    codes = [run(["dlt", "pipeline", venue, "run", *more], environment) for venue, *more in venues]
    codes.append(run(["dlt", "pipeline", "run", *arguments], environment))
    fetched = max(codes)
    if fetched not in (0, DONE_WITH_FAILURES):
        return fetched
    started = time.monotonic()
    built = run(["dbt", "--quiet", "build"], environment)
    if built:
        return built
    say(f"{_built(environment)} in {time.monotonic() - started:.0f} s")
    for arguments in (["leaderboard", "--top", str(top)], *([["venues"]] if venues else []), ["summary"]):
        reported = run(["python", "-m", "report", *arguments], environment)
        if reported:
            return reported
    return fetched


def _built(environment: Mapping[str, str]) -> str:
    """What `dbt build` says of itself, in one line: how many nodes of which kind."""
    target = Path(environment.get("DBT_TARGET_PATH", "target"))
    results = json.loads((ROOT / target / "run_results.json").read_text(encoding="utf-8"))["results"]
    kinds: dict[str, int] = {}
    for result in results:
        kind = result["unique_id"].split(".")[0].replace("unit_test", "test")
        kinds[kind] = kinds.get(kind, 0) + 1
    return ", ".join(f"{count} {kind}s" for kind, count in sorted(kinds.items())) + " built and passed"


if __name__ == "__main__":
    # dbt builds where the extractor loads, unless told otherwise.
    target = {"DBT_TARGET": os.environ.get("DESTINATION__NAME", "duckdb")}
    sys.exit(fetch_build_report(sys.argv[1:], target | os.environ, top=10))
