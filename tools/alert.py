"""Tells what is wrong: on the terminal, on the page of a workflow's run, and to a Slack-compatible webhook.

Two things are watched: the figures of the view `alerts`, and the freshness of the raw tables, as dbt judges it.
`RUNTIME__SLACK_INCOMING_HOOK` names the webhook, dlt's own setting; it is a secret and is never printed.

Exit codes: 0 nothing to tell, 1 an alert is raised, 2 it cannot be told: no tables yet, or a wrong setting.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dlt
from dlt.common.runtime.slack import send_slack_message

from extract.settings import UsageError
from extract.warehouse import WarehouseBusyError, open_pipeline, public_rows

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
#: dlt's helper waits for ever; a webhook that hangs must not hold the run.
HOOK_SECONDS = 30.0


@dataclass(frozen=True)
class Alert:
    name: str
    text: str


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--message", metavar="TEXT", help="send this text alone, and look at nothing")
    options = parser.parse_args(arguments)
    if options.message is not None:
        alerts = [Alert("message", options.message)]
    else:
        try:
            alerts = [*figures(), *freshness()]
        except (UsageError, WarehouseBusyError) as error:
            print(f"Error: {error}", file=sys.stderr)
            return 2
    tell(alerts)
    return 1 if alerts and options.message is None else 0


def figures() -> list[Alert]:
    """Raised rows of `alerts`."""
    columns = ("alert", "meaning", "measured", "allowed")
    pipeline = open_pipeline("polymarket", create=False)
    rows = public_rows(pipeline, "alerts", columns, "where is_raised order by alert")
    if rows is None:
        raise UsageError("there is no table alerts yet: run `dlt pipeline run`, then `dbt build`")
    return [Alert(name, f"{meaning}: {measured:g}, allowed {allowed:g}") for name, meaning, measured, allowed in rows]


def freshness() -> list[Alert]:
    """Raw tables that dbt calls too old, of venues that were ever read."""
    pipeline = open_pipeline("polymarket", create=False)
    venues = public_rows(pipeline, "daily_sync_checkpoint", ("distinct venue",), "order by 1") or []
    if not venues:
        return []
    target = ROOT / os.environ.get("DBT_TARGET_PATH", "target") / "sources.json"
    target.unlink(missing_ok=True)
    chosen = [f"source:raw_{venue}.runs" for (venue,) in venues]
    # What it finds is read from its artifact, whatever DBT_WRITE_JSON says.
    command = [str(BIN / "dbt"), "--quiet", "--write-json", "source", "freshness", "--select", *chosen]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if not target.exists():
        raise UsageError(f"dbt source freshness failed: {(ended.stdout or ended.stderr).strip()[-500:]}")
    results = json.loads(target.read_text(encoding="utf-8"))["results"]
    return [
        Alert("freshness", f"{result['unique_id'].split('.')[-2]}: {_age(result)}")
        for result in results
        if result["status"] != "pass"
    ]


def _age(result: dict[str, object]) -> str:
    if "max_loaded_at" not in result:
        return str(result.get("error") or result["status"])
    return f"the last run ended at {result['max_loaded_at']} ({result['status']})"


def tell(alerts: Sequence[Alert]) -> None:
    lines = [f"{alert.name}: {alert.text}" for alert in alerts]
    for line in lines:
        print(f"ALERT {line}")
    if not alerts:
        print("No alert.")
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if page and alerts:
        with open(page, "a", encoding="utf-8") as summary:
            summary.write("### Alerts\n\n" + "".join(f"* {line}\n" for line in lines))
    hook = dlt.secrets.get("runtime.slack_incoming_hook", str)
    if hook and alerts:
        send(hook, "polyomega\n" + "\n".join(lines))


def send(hook: str, text: str) -> None:
    """Posts to the webhook. A failure is told without its URL, which is a secret."""
    failures: list[str] = []

    def post() -> None:
        try:
            # Names and errors come from venues: neither markdown nor a call to a whole channel (`<!channel>`).
            send_slack_message(hook, html.escape(text, quote=False), is_markdown=False)
        except Exception as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            failures.append(f"answered {status}" if status else f"cannot be reached ({type(error).__name__})")

    sender = threading.Thread(target=post, daemon=True)
    sender.start()
    sender.join(HOOK_SECONDS)
    if sender.is_alive():
        failures.append(f"did not answer in {HOOK_SECONDS:g} s")
    for failure in failures:
        print(f"The webhook {failure}: nobody was told there.", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
