"""Every macro whose words differ by engine has one form for each, and one that refuses all others.

A form that is gone would not be missed by the engine that is left: so its lack is a failure by itself, whichever it is.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bigquery.analyzer.mutations import FOLDERS
from tests.conftest import ROOT
from tests.warehouse.conftest import SOAK

FORMS = ("default", "bigquery", "duckdb")
DISPATCH = re.compile(r"adapter\.dispatch\('(\w+)', 'polyomega'\)\(([^)]*)\)")


def dispatched(folder: Path = ROOT) -> dict[str, Path]:
    """The macros that choose by engine, with their files."""
    files = sorted((folder / "macros").rglob("*.sql"))
    return {name: path for path in files for name, _ in DISPATCH.findall(path.read_text(encoding="utf-8"))}


def without(whole: str, form: str, name: str) -> str:
    """A macro's file without one of its forms."""
    gone = re.sub(rf"\{{%-? macro {form}__{name}\(.*?endmacro -?%\}}\n?", "", whole, count=1, flags=re.DOTALL)
    assert gone != whole, name
    return gone


def flaws(folder: Path) -> list[str]:
    """What is wrong with the forms of the project's macros."""
    found = []
    texts = {path: path.read_text(encoding="utf-8") for path in sorted((folder / "macros").rglob("*.sql"))}
    signatures: dict[str, list[str]] = {}
    for path, text in texts.items():
        for name, arguments in re.findall(r"\{%-? macro (\w+)\(([^)]*)\)", text):
            signatures.setdefault(name, []).append(arguments)
        # dbt's own name for it.
        for kind, engine in re.findall(r"\{%-? materialization (\w+), adapter='(\w+)'", text):
            signatures.setdefault(f"materialization_{kind}_{engine}", []).append("")
        if path.stem not in signatures:
            found.append(f"{path.name} holds no macro of its name")
    for text in texts.values():
        for name, arguments in DISPATCH.findall(text):
            for form in FORMS:
                given = signatures.get(f"{form}__{name}", [])
                if len(given) != 1:
                    found.append(f"{form}__{name} is there {len(given)} times")
                elif [one.split("=")[0].strip() for one in given[0].split(",")] != [
                    one.strip() for one in arguments.split(",")
                ]:
                    found.append(f"{form}__{name} takes other arguments than {name} hands on")
            refusal = f'raise_compiler_error("{name} is not implemented for " ~ target.type)'
            if refusal not in text:
                found.append(f"default__{name} does not refuse other engines")
    chosen = {name for text in texts.values() for name, _ in DISPATCH.findall(text)}
    for name in signatures:
        form, _, base = name.partition("__")
        # dbt's own macros are replaced for one engine: those are called by dbt.
        if form in FORMS and base not in chosen and not base.startswith("get_"):
            found.append(f"{name} is nobody's form")
    return found


def test_every_macro_has_a_form_for_each_engine_and_refuses_others() -> None:
    assert len(dispatched()) >= 20
    assert flaws(ROOT) == []


@pytest.mark.parametrize("form", FORMS)
def test_no_form_can_be_taken_away(tmp_path: Path, form: str) -> None:
    """One after the other, for every macro."""
    shutil.copytree(ROOT / "macros", tmp_path / "macros")
    for name, path in dispatched(tmp_path).items():
        whole = path.read_text(encoding="utf-8")
        path.write_text(without(whole, form, name), encoding="utf-8")
        assert any(f"{form}__{name} " in flaw for flaw in flaws(tmp_path)), name
        path.write_text(whole, encoding="utf-8")
    assert flaws(tmp_path) == []


#: One process of dbt for all macros, which reads again only what a change concerns: a process for each would start
#: dbt thirty times. Reads, for each macro, its file and its text without the form; prints what dbt says of each.
PARSING = """
import json, sys
from pathlib import Path
from dbt.cli.main import dbtRunner

def parse():
    result = dbtRunner().invoke(["--quiet", "parse", "--target", "bigquery"])
    return "" if result.success else str(result.exception)

said = {"": parse()}
for name, (path, text) in json.load(sys.stdin).items():
    whole = Path(path).read_text(encoding="utf-8")
    Path(path).write_text(text, encoding="utf-8")
    said[name] = parse()
    Path(path).write_text(whole, encoding="utf-8")
Path("said.json").write_text(json.dumps(said), encoding="utf-8")
"""


def test_dbt_parse_misses_every_form_of_bigquery(tmp_path: Path) -> None:
    """So every macro is called, and nothing falls back to another engine's words; `make soak` takes them all."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "dbt_project.yml", tmp_path)
    shutil.copy(ROOT / "profiles.yml.example", tmp_path / "profiles.yml")
    # The hook's is called when dbt runs, not when it parses: test_loading sees what it does.
    macros = {name: path for name, path in dispatched(tmp_path).items() if name != "refuse_strangers"}
    macros = macros if SOAK else dict(sorted(macros.items())[::6])
    faults = {
        name: (str(path), without(path.read_text(encoding="utf-8"), "bigquery", name)) for name, path in macros.items()
    }
    subprocess.run(
        [sys.executable, "-c", PARSING],
        cwd=tmp_path,
        input=json.dumps(faults),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    said = json.loads((tmp_path / "said.json").read_text(encoding="utf-8"))
    assert said.pop("") == ""
    assert set(said) == set(macros)
    missed = {name: words for name, words in said.items() if f"{name} is not implemented for bigquery" not in words}
    assert missed == {}
