"""dbt, run as it stands against the judging service."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.bigquery.analyzer.service import Service, Statement
from tests.conftest import ROOT
from tests.forked import run_dbt

UNJUDGED = Path(__file__).parent.parent / "unjudged.toml"


@dataclass
class Build:
    """A project whose statements go to a service. `source` is the project's folder, `work` a folder for what dbt
    writes."""

    service: Service
    work: Path
    source: Path = ROOT
    environment: dict[str, str] = field(default_factory=dict)

    def dbt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs dbt; what it sends is in `service.statements`."""
        profiles = self.work / "profiles"
        profiles.mkdir(parents=True, exist_ok=True)
        (profiles / "profiles.yml").write_text(yaml.safe_dump(profile(self.service)))
        return run_dbt(
            [
                *arguments,
                *("--profiles-dir", str(profiles)),
                *("--target-path", str(self.work / "target")),
                *("--log-path", str(self.work / "logs")),
            ],
            self.source,
            os.environ | {"DBT_TARGET": "checked", "DBT_USE_COLORS": "false"} | self.environment,
        )

    def nodes(self) -> dict[str, Any]:
        """Everything that dbt would send statements for, by its name: models, snapshots, seeds and tests."""
        manifest = json.loads((self.work / "target" / "manifest.json").read_text())
        found = manifest["nodes"] | manifest["unit_tests"]
        return {
            name: node
            for name, node in found.items()
            if node["resource_type"] in ("model", "snapshot", "seed", "test", "unit_test")
            and node.get("config", {}).get("materialized") != "ephemeral"
        }


def profile(service: Service) -> dict[str, Any]:
    """The example's production target, at the service's address, with a token that is none."""
    made = yaml.safe_load((ROOT / "profiles.yml.example").read_text())["polyomega"]["outputs"]["bigquery"]
    made |= {
        "method": "oauth-secrets",
        "token": "none",
        "project": service.project,
        "api_endpoint": service.url,
        "threads": 4,
        "job_retries": 0,
    }
    return {"polyomega": {"target": "checked", "outputs": {"checked": made}}}


def add_raw_tables(service: Service, *schemas: str) -> None:
    """The raw tables of these schemas, as the sources files declare them."""
    for path in sorted((ROOT / "models" / "staging").glob("*/*__sources.yml")):
        for source in yaml.safe_load(path.read_text())["sources"]:
            # A prefix before the name is empty here.
            schema = re.sub(r"\{\{.*?\}\}", "", source["schema"])
            for table in source["tables"] if schema in schemas else ():
                fields = [
                    {"name": column["name"], "type": column["data_type"].upper(), "mode": "NULLABLE"}
                    for column in table["columns"]
                ]
                service.add_table(f"{schema}.{table['name']}", fields)


def refusals(statements: list[Statement]) -> dict[str, str]:
    """Why a node was refused, by its name."""
    return {one.node: one.refusal for one in statements if one.refusal is not None}


def unjudged() -> dict[str, str]:
    """The statements that the analyzer cannot judge, each with the reason."""
    return dict(tomllib.loads(UNJUDGED.read_text())["analyzer"])
