"""Every statement that dbt would send to BigQuery, judged by Google's own analyzer; what needs no table is run by
Google's reference implementation too: unit tests and the tests of macros give their answers there.

The last tests plant faults in a copy of the project: each is caught, and the proof that catches it is named. A node
that is refused keeps nothing else from being judged, so that faults of different nodes share one run of dbt. All stand
in one file, so that one process makes the build that they share."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bigquery.analyzer.building import Build, refusals, unjudged
from tests.bigquery.analyzer.conftest import Checked
from tests.bigquery.analyzer.googlesql import GoogleSQL, Refused
from tests.bigquery.analyzer.mutations import FAULTS, FOLDERS, plant
from tests.bigquery.analyzer.service import Service
from tests.conftest import ROOT
from tests.warehouse.seeds import DOCUMENTS, on_bigquery, printed_queries
from tools.lint_sql import LINT


def test_bigquery_takes_every_statement(checked: Checked) -> None:
    refused = refusals(checked.full) | refusals(checked.increment)
    assert {node: why for node, why in refused.items() if node not in unjudged()} == {}
    for process in checked.processes:
        assert process.returncode == 0, process.stdout + process.stderr


def test_the_list_of_what_cannot_be_judged_only_shrinks(checked: Checked) -> None:
    refused = refusals(checked.full) | refusals(checked.increment)
    assert [node for node in unjudged() if node not in refused] == []
    assert all(reason.strip() for reason in unjudged().values())


def test_every_node_was_judged(checked: Checked) -> None:
    sent = {statement.node for statement in checked.full}
    assert [name for name in checked.build.nodes() if name not in sent] == []


def test_incremental_models_and_snapshots_were_judged_in_both_forms(checked: Checked) -> None:
    lasting = [
        name
        for name, node in checked.build.nodes().items()
        if node["config"].get("materialized") in ("incremental", "snapshot")
    ]
    assert len(lasting) >= 8
    made = {one.node for one in checked.full if one.kind == "CREATE_TABLE_AS_SELECT"}
    merged = {one.node for one in checked.increment if one.kind in ("MERGE", "INSERT")}
    assert [name for name in lasting if name not in made or name not in merged] == []


def test_missing_raw_tables_were_judged_too(checked: Checked) -> None:
    """In each of the two builds one venue had none, and its views stand on empty rows of the declared columns."""
    for statements, missing in ((checked.full, "stg_dome__orders"), (checked.increment, "stg_polymarket__trades")):
        (view,) = [one for one in statements if one.node == f"model.polyomega.{missing}" and one.kind == "CREATE_VIEW"]
        assert "nothing.nothing = 0" in view.sql


def test_every_query_is_capped_timed_and_labelled(checked: Checked) -> None:
    for statement in [*checked.full, *checked.increment]:
        if statement.kind == "LOAD":
            continue
        configuration = statement.configuration
        assert int(configuration["query"]["maximumBytesBilled"]) > 0, statement.sql
        assert int(configuration["jobTimeoutMs"]) > 0, statement.sql
        assert configuration["labels"]["app"] == "dbt", statement.sql


def test_tables_say_whose_they_are(checked: Checked) -> None:
    """Every table and view carries the project's label and its folder's."""
    for name, node in checked.build.nodes().items():
        if node["resource_type"] not in ("model", "snapshot"):
            continue
        made = [one for one in checked.full if one.node == name and one.kind.startswith("CREATE")]
        made = [one for one in made if one.target is not None and "__dbt" not in one.target]
        assert made, name
        layer = {"polyomega": "public"}.get(node["schema"], node["schema"].removeprefix("polyomega_"))
        for statement in made:
            assert re.search(r"labels\s*=\s*\[.*\('project', 'polyomega'\)", statement.sql), name
            assert f"('layer', '{layer}')" in statement.sql, name


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the documents are not beside the checkout")
def test_the_queries_that_users_bring_are_bigquerys(checked: Checked, engine: GoogleSQL) -> None:
    """What they answer is tested on DuckDB, in tests/warehouse/test_seed_queries.py."""
    queries = printed_queries()
    assert len(queries) > 10
    for query in queries:
        sql = on_bigquery(query, wallet="0x" + "12" * 20)
        assert engine.analyze(re.sub(r"\bpolyomega\.(\w+)", r"`polyomega-check.polyomega.\1`", sql)).kind == "QueryStmt"


def test_public_tables_are_clustered_and_trades_partitioned(checked: Checked) -> None:
    made = {one.target: one.sql for one in checked.full if one.kind == "CREATE_TABLE_AS_SELECT"}
    public = {target: sql for target, sql in made.items() if target.startswith("polyomega.") and "__dbt" not in target}
    assert "polyomega.trades" in public
    # One row per source: nothing to cluster.
    public.pop("polyomega.category_coverage")
    assert [target for target, sql in public.items() if "cluster by" not in sql.lower()] == []
    trades = " ".join(public["polyomega.trades"].split())
    assert "partition by timestamp_trunc(timestamp, month)" in trades.lower()


def test_sqlfluff_takes_what_models_compile_to(checked: Checked, tmp_path: Path) -> None:
    """Of the incremental build. A model that sqlfluff cannot read as BigQuery's SQL is a violation like any other."""
    models = checked.build.work / "target" / "compiled" / "polyomega" / "models"
    # Tests and unit tests lie in folders named as their yml files.
    texts = {path.stem: path for path in models.rglob("*.sql") if ".yml" not in str(path.relative_to(models))}
    for name, path in texts.items():
        shutil.copy(path, tmp_path / f"{name}.sql")
    assert len(texts) > 40
    # As BigQuery would not take it, and as nobody should write it.
    (tmp_path / "not_bigquery.sql").write_text("select list_transform([1], lambda x: x + 1) as items\n")
    (tmp_path / "not_lower.sql").write_text("SELECT trades.id tag FROM trades\n")
    shutil.copy(Path(__file__).with_name("compiled.sqlfluff"), tmp_path / ".sqlfluff")
    linted = subprocess.run(
        [sys.executable, "-c", LINT, "lint", "--disable-progress-bar", "--format", "json", "."],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {
        Path(one["filepath"]).stem: {f"{two['code']}: {two['description']}" for two in one["violations"]}
        for one in json.loads(linted.stdout)
    }
    assert set(found) == {*texts, "not_bigquery", "not_lower"}
    assert any(text.startswith("PRS") for text in found.pop("not_bigquery"))
    assert {text[:4] for text in found.pop("not_lower")} >= {"CP01", "AL02"}
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("select list_extract([1], 1)", "Function not found"),
        ("select try_cast('1' as int64)", "Function not found"),
        ("select '1'::int64", "Syntax error"),
        ("select cast('1' as numeric(38, 9))", "Parameterized types"),
        ("select count(*) filter (where true)", "Syntax error"),
        ("select list_transform([1], lambda x: x)", "Syntax error"),
        ("select x -> x + 1", "."),
        ("select 7 // 2", "Syntax error"),
        ("select timestamp '2026-01-01' > '2026-01-01 00:00:00 then'", "."),
        ("select 1 as value union all select 'a'", "incompatible types"),
        ("select a.id, count(*) from `p.d.fills` as a", "neither grouped nor aggregated"),
        ("select wallet from `p.d.fills`", "Unrecognized name"),
        ("select * from `p.d.none`", "Table not found"),
        ("select id + 1 as one, one + 1 as two from `p.d.fills`", "Unrecognized name"),
        ("with groups as (select 1 as id) select * from groups", "Syntax error"),
        ("select id, id from (select 1 as id, 2 as id)", "ambiguous"),
        (
            "merge into `p.d.fills` f using (select 1 as id) s on f.id = s.id when matched then update set id = 'b'",
            ".",
        ),
        ("insert into `p.d.fills` (id, price) select 1, 'a'", "cannot be inserted"),
        ("create or replace table `p.d.t` (price numeric(38, 9)) as (select 'a' as price)", "coerced"),
        ("create or replace table `p.d.t` partition by price as (select numeric '1' as price)", "."),
        ("select epoch_ms(0)", "Function not found"),
        ("select unnest([1, 2])", "."),
        ("select 1 / 0", "division by zero"),
        ("select cast('x' as int64)", "Bad int64 value"),
    ],
)
def test_the_analyzer_refuses(engine: GoogleSQL, sql: str, why: str) -> None:
    service = Service(engine, project="p")
    service.add_table("d.fills", [{"name": "id", "type": "INTEGER"}, {"name": "price", "type": "NUMERIC"}])
    with pytest.raises(Refused, match=re.escape(why) if why != "." else why):
        engine.analyze(sql)
        engine.evaluate(sql)


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select max_by(x, y) from unnest([struct(1 as x, 2 as y), struct(3, 1)])", [[1]]),
        ("select x from unnest([3, 1, 2]) as x where true qualify row_number() over (order by x desc) = 1", [[3]]),
        (
            "select null is distinct from 1, [1, 2][safe_offset(5)], json_value('{\"a\": 0.10}', '$.a')",
            [[True, None, "0.10"]],
        ),
        ("select cast(timestamp '2026-01-01 00:00:00' as string)", [["2026-01-01 00:00:00+00"]]),
        ("select count(*) from `p.d.fills`", [[0]]),
    ],
)
def test_the_analyzer_takes_and_the_reference_answers(engine: GoogleSQL, sql: str, rows: list[list[object]]) -> None:
    Service(engine, project="p").add_table("d.fills", [{"name": "id", "type": "INTEGER"}])
    assert engine.analyze(sql).kind == "QueryStmt"
    assert engine.evaluate(sql)[1] == rows


def test_a_listed_statement_goes_through_and_stays_marked(engine: GoogleSQL) -> None:
    service = Service(engine, project="p", unjudged={"model.p.odd": "the analyzer does not know odd()"})
    sql = '/* {"node_id": "model.p.odd"} */ create or replace table `p`.`d`.`odd` as (select odd(1) as id)'
    job = {"jobReference": {"jobId": "1"}, "configuration": {"query": {"query": sql}}}
    service.run(job)
    assert "odd" in refusals(service.statements)["model.p.odd"]
    with pytest.raises(Refused):
        service.run(job | {"configuration": {"query": {"query": sql.replace("model.p.odd", "model.p.other")}}})


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    """A copy of what dbt reads."""
    folder = tmp_path / "project"
    for name in FOLDERS:
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "dbt_project.yml", folder)
    yield folder


def test_each_fault_is_refused_by_the_analyzer(checked: Checked, copy: Path, tmp_path: Path) -> None:
    for fault in FAULTS:
        plant(copy, fault.path, fault.before, fault.after)
    build = Build(checked.build.service, tmp_path, copy)
    build.service.statements.clear()
    names = [fault.node.split(".")[2] for fault in FAULTS]
    tests = [name for name in names if f"test.polyomega.{name}" in {fault.node for fault in FAULTS}]
    # Not `build`: it would pass over whatever stands below a model that was refused.
    models = build.dbt("run", "--select", *(name for name in names if name not in tests))
    singular = build.dbt("test", "--select", *tests)
    refused = refusals(build.service.statements)
    assert {fault.node: fault.why in refused.get(fault.node, "") for fault in FAULTS} == {
        fault.node: True for fault in FAULTS
    }, f"{refused}\n{models.stdout}\n{singular.stdout}"
    assert models.returncode == 1 and singular.returncode == 1
