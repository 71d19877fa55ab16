"""The documents and the project agree, in both directions: what is named exists, and what exists for users is named."""

from __future__ import annotations

import argparse
import csv
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from dlt.common.configuration.specs import BaseConfiguration

from extract.betfair.settings import BetfairSettings
from extract.cli.plugin import VENUES, RunCommand, StatusCommand, VerifyCommand
from extract.dome.settings import DomeSettings
from extract.kalshi.settings import KalshiSettings
from extract.polymarket.settings import PolymarketSettings
from extract.predictit.settings import PredictItSettings
from extract.settings import VenueSettings
from extract.smarkets.settings import SmarketsSettings
from extract.supabase import SupabaseSettings
from extract.verify import KINDS
from report.__main__ import parser as report_parser
from tests.conftest import ROOT, Project

TOP = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
DOCUMENTS = sorted([*(ROOT / name for name in TOP), *(ROOT / "docs").rglob("*.md")])
#: What a user reads to find a command or a setting.
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXTS = {document.name: document.read_text(encoding="utf-8") for document in DOCUMENTS}
ALL_TEXT = "\n".join(TEXTS.values())


# -- what there is -----------------------------------------------------------------------------------------------------


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [phony] = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    return set(phony.split())


def options(parser: argparse.ArgumentParser) -> set[str]:
    return {
        option
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }


def dlt_commands() -> dict[str, set[str]]:
    commands = {}
    for command in (RunCommand(), StatusCommand(), VerifyCommand()):
        parser = argparse.ArgumentParser()
        command.configure_parser(parser)
        commands[command.command] = options(parser)
    return commands


def report_commands() -> dict[str, set[str]]:
    [commands] = [action for action in report_parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return {name: options(parser) for name, parser in commands.choices.items()}


def fields(spec: type[BaseConfiguration]) -> set[str]:
    return {name.upper() for name in spec.get_resolvable_fields()}


def settings() -> set[str]:
    """Every setting by the form in which the documents name it; shared ones once, for all venues."""
    shared = fields(VenueSettings)
    specs = (
        PolymarketSettings,
        DomeSettings,
        KalshiSettings,
        PredictItSettings,
        SmarketsSettings,
        BetfairSettings,
        SupabaseSettings,
    )
    own = {spec.__name__.removesuffix("Settings").upper(): fields(spec) - shared for spec in specs}
    return {f"SOURCES__<VENUE>__{name}" for name in shared} | {
        f"SOURCES__{venue}__{name}" for venue, names in own.items() for name in names
    }


def profile_variables() -> set[str]:
    return set(re.findall(r"env_var\('(\w+)'", (ROOT / "profiles.yml.example").read_text(encoding="utf-8")))


@cache
def models(folder: str) -> dict[str, dict[str, Any]]:
    """Descriptions of the models under a folder of models/, by name."""
    found = {}
    for path in (ROOT / "models" / folder).rglob("*.yml"):
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models", []):
            found[model["name"]] = model
    return found


def snapshots() -> list[dict[str, Any]]:
    """Descriptions of the snapshots."""
    return list(yaml.safe_load((ROOT / "snapshots" / "_snapshots.yml").read_text(encoding="utf-8"))["snapshots"])


def sources() -> Iterator[dict[str, Any]]:
    for path in (ROOT / "models").rglob("*.yml"):
        for source in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("sources", []):
            yield from source["tables"]


def accepted_values(node: Any) -> Iterator[str]:
    """Every value that an accepted_values test allows, wherever it stands."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "accepted_values":
                yield from map(str, (value.get("arguments") or value)["values"])
            else:
                yield from accepted_values(value)
    elif isinstance(node, list):
        for item in node:
            yield from accepted_values(item)


def known_words() -> set[str]:
    """Every word with an underscore that the documents may set in code."""
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    words = {*project["vars"], *(seed.stem for seed in (ROOT / "seeds").glob("*.csv"))}
    for described in (*models("").values(), *snapshots(), *sources()):
        words |= {described["name"], *(column["name"] for column in described.get("columns", []))}
        words |= set(accepted_values(described))
    for seed in (ROOT / "seeds").glob("*.csv"):
        with open(seed, encoding="utf-8", newline="") as lines:
            words |= set(next(csv.reader(lines)))
    # Datasets, and the targets of the profile.
    folders = project["models"]["polyomega"].values()
    words |= {folder["+schema"] for folder in folders if isinstance(folder, dict) and "+schema" in folder}
    words |= {f"raw_{venue}" for venue in VENUES}
    profile = yaml.safe_load((ROOT / "profiles.yml.example").read_text(encoding="utf-8"))
    words |= set(profile["polyomega"]["outputs"])
    selectors = yaml.safe_load((ROOT / "selectors.yml").read_text(encoding="utf-8"))["selectors"]
    words |= {selector["name"] for selector in selectors}
    # Words of formulas, which docs/scores.md defines where it uses them.
    words.add("se_log")
    # What `dlt pipeline verify` finds.
    words |= set(KINDS)
    # A column of every raw table that dlt adds.
    words.add("_dlt_load_id")
    return words


def code_spans(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def code_lines(text: str) -> list[str]:
    """Lines of code: those of fenced blocks, and inline spans."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()] + code_spans(text)


# -- commands ----------------------------------------------------------------------------------------------------------


def test_every_make_target_in_the_documents_exists() -> None:
    named = {target for line in code_lines(ALL_TEXT) for target in re.findall(r"(?:^|[\s$])make ([a-z][\w-]*)", line)}
    assert named, "no document names a make target"
    assert named <= make_targets()


def test_every_make_target_is_in_a_document() -> None:
    named = set(re.findall(r"make ([a-z][a-z-]*)", ALL_TEXT))
    assert make_targets() <= named


def test_every_make_target_has_a_line_of_help() -> None:
    # Under `make test` this is a make within a make, which would tell of the folders it enters.
    command = ["make", "--no-print-directory", "help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split()[1] for line in shown.splitlines()} == make_targets()


def test_every_pipeline_command_and_option_in_the_documents_exists() -> None:
    commands = dlt_commands()
    venues = "|".join([*VENUES, r"\[VENUE\]"])
    seen = set()
    for line in code_lines(ALL_TEXT):
        for command, rest in re.findall(rf"dlt pipeline (?:(?:{venues}) )?(\w+)([^`|]*)", line):
            assert command in commands, line
            assert set(re.findall(r"--[a-z-]+", rest)) <= commands[command], line
            seen.add(command)
    assert seen == set(commands)


def test_every_option_in_the_list_of_commands_exists() -> None:
    [listing] = re.findall(r"^## Commands\n.*?```\n(.*?)```", README, flags=re.DOTALL | re.MULTILINE)
    existing = set().union(*dlt_commands().values(), *report_commands().values())
    # dbt's own options are dbt's to describe.
    ours = "\n".join(line for line in listing.splitlines() if not line.startswith("dbt "))
    assert set(re.findall(r"--[a-z-]+", ours)) == existing


def test_every_selector_in_the_documents_exists() -> None:
    selectors = yaml.safe_load((ROOT / "selectors.yml").read_text(encoding="utf-8"))["selectors"]
    assert set(re.findall(r"--selector (\w+)", ALL_TEXT)) == {selector["name"] for selector in selectors}


def test_every_report_command_in_the_documents_exists() -> None:
    commands = report_commands()
    seen = set()
    for line in code_lines(ALL_TEXT):
        for command, rest in re.findall(r"python -m report (\w+)(.*)", line):
            assert command in commands, line
            assert set(re.findall(r"--[a-z-]+", rest)) <= commands[command], line
            seen.add(command)
    assert seen == set(commands)


# -- settings ----------------------------------------------------------------------------------------------------------


def test_every_setting_of_the_venues_is_documented_and_the_reverse() -> None:
    named = set(re.findall(r"`(SOURCES__[A-Z_<>]+)`", README))
    assert named == settings()


def test_every_variable_of_the_profile_is_documented() -> None:
    missing = {name for name in profile_variables() if name not in README}
    assert not missing


def test_every_destination_setting_in_the_documents_exists() -> None:
    from extract.bigquery import BigQueryConfiguration

    existing = {"DESTINATION__NAME", "DESTINATION__DUCKDB__CREDENTIALS"}
    existing |= {f"DESTINATION__BIGQUERY__{name}" for name in fields(BigQueryConfiguration)}
    existing.add("DESTINATION__FILESYSTEM__BUCKET_URL")
    named = set(re.findall(r"\b(DESTINATION__[A-Z_]*[A-Z])\b", ALL_TEXT))
    assert named <= existing
    assert {"DESTINATION__NAME", "DESTINATION__DUCKDB__CREDENTIALS"} <= named


def test_documented_defaults_are_the_defaults() -> None:
    for spec, name in ((PolymarketSettings, "Polymarket"), (DomeSettings, "Dome")):
        assert f"{spec().requests_per_second:g} {name}" in README
    rows = dict(re.findall(r"^\| `SOURCES__(?:<VENUE>|POLYMARKET|DOME)__(\w+)` \|.*\| (\S+) \|$", README, re.MULTILINE))
    for spec in (PolymarketSettings(), DomeSettings()):
        for field in ("workers", "overlap", "walks_per_load", "due_requests"):
            assert rows[field.upper()] == str(getattr(spec, field))
    for field in ("data_api_url", "gamma_api_url", "leaderboard_wallets"):
        assert rows[field.upper()].strip("`") == str(getattr(PolymarketSettings(), field))
    assert rows["BASE_URL"].strip("`") == DomeSettings().base_url


# -- tables and columns ------------------------------------------------------------------------------------------------


def public_tables_in_readme() -> set[str]:
    [section] = re.findall(r"^## What you can ask\n(.*?)^## ", README, flags=re.DOTALL | re.MULTILINE)
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def test_every_public_table_is_in_the_readme_and_the_reverse() -> None:
    assert public_tables_in_readme() == set(models("marts"))


def test_every_public_table_and_column_is_described() -> None:
    missing = []
    for name, model in models("marts").items():
        if not model.get("description", "").strip():
            missing.append(name)
        missing += [
            f"{name}.{column['name']}" for column in model["columns"] if not column.get("description", "").strip()
        ]
    assert not missing


def test_every_public_table_has_a_model() -> None:
    files = {path.stem for path in (ROOT / "models" / "marts").rglob("*.sql")}
    assert files == set(models("marts"))


def test_every_table_and_column_in_the_documents_exists() -> None:
    known = known_words()
    unknown = {
        f"{name}: {span}"
        for name, text in TEXTS.items()
        for span in code_spans(text)
        if re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", span) and span not in known
    }
    assert not unknown


def test_every_kind_of_gap_and_finding_is_explained() -> None:
    explained = {
        name
        for cell in re.findall(r"^\| (`[^|]*`) \|", TEXTS["monitoring.md"], re.MULTILINE)
        for name in code_spans(cell)
    }
    assert explained == {*KINDS, *accepted_values(models("marts/sync")["coverage_gaps"])}


def test_every_table_with_its_column_in_the_documents_exists() -> None:
    public = models("marts")
    for span in code_spans(ALL_TEXT):
        table, _, column = span.partition(".")
        if table in public and re.fullmatch(r"[a-z_]+", column):
            assert column in {described["name"] for described in public[table]["columns"]}, span


def test_every_variable_of_the_models_has_its_documented_default() -> None:
    variables = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    for name, default in re.findall(r"`(omega_\w+)` \(([\d.]+)\)", TEXTS["scores.md"]):
        assert str(variables[name]) == default, name


@pytest.mark.timeout(300)
def test_the_queries_in_the_documents_run(project: Project) -> None:
    queries = re.findall(r"^```sql\n(.*?)^```", ALL_TEXT, flags=re.DOTALL | re.MULTILINE)
    assert queries
    # The columns are what is checked here, so tables without a row will do.
    built = project.dbt("build")
    assert built.returncode == 0, built.stdout
    for query in queries:
        project.query(query)


# -- files and links ---------------------------------------------------------------------------------------------------


def test_every_file_in_the_documents_exists() -> None:
    made_by_use = ("target/", ".venv", ".polyomega/", ".dlt/secrets.toml", "profiles.yml")
    missing = {
        f"{name}: {span}"
        for name, text in TEXTS.items()
        for span in code_spans(text)
        if re.fullmatch(r"\.?[\w-]+(/[\w.-]+)*(/|\.(md|py|yml|toml|csv|txt))", span)
        and not span.startswith(made_by_use)
        and not (ROOT / span).exists()
    }
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target


# -- nothing that belongs to one computer ------------------------------------------------------------------------------


def files_in_git() -> list[Path]:
    """Files that are or would be committed."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


# Each pattern is written so that it does not match itself.
NOT_FOR_GIT = {
    "host of a package index": r"pypi[.]org|files[.]python[h]osted|test[.]py[p]i|--(?:extra-)?index-ur[l]",
    "path of a computer": r"(?<![\w.~/-])/(?:ro[o]t|wo[r]k|ho[m]e|Use[r]s)/",
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KE[Y]-----",
}


@pytest.mark.parametrize("what", NOT_FOR_GIT)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(NOT_FOR_GIT[what].encode())
    found = [str(path.relative_to(ROOT)) for path in files_in_git() if pattern.search(path.read_bytes())]
    assert not found


def test_lock_files_pin_every_package_by_hash() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        pins = re.findall(r"^[a-z0-9].*?(?=^\S|\Z)", lock.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        assert pins, lock.name
        for pin in pins:
            assert re.match(r"[a-z0-9.-]+==\S+", pin) and "--hash=sha256:" in pin, (lock.name, pin)
