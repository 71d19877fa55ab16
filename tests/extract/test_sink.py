"""What a killed run left in dlt's working folder is finished by the next; payloads are not tried as dictionaries."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from extract.sinks import DltSink
from extract.warehouse import open_pipeline


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pipelines that are opened from now on load to; they work beside it."""
    path = tmp_path / "warehouse.duckdb"
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(path))
    monkeypatch.setenv("PIPELINES_DIR", str(tmp_path / "pipelines"))
    return path


def test_a_package_that_was_normalized_and_half_deleted_is_loaded_once(warehouse: Path) -> None:
    pipeline = open_pipeline("polymarket", create=True)
    sink = DltSink(pipeline, workers=1)
    # A first package, so that the warehouse and the folder belong together.
    pipeline.run([{"wallet": "first"}], table_name="things", loader_file_format="parquet")
    pipeline.extract([{"wallet": "second"}], table_name="things", loader_file_format="parquet")
    (load_id,) = pipeline.list_extracted_load_packages()
    pipeline.normalize()
    left = Path(pipeline.working_dir, "normalize", "extracted", load_id)
    left.mkdir()
    (left / "state.json").write_text("{")
    sink.prepare()
    assert not pipeline.has_pending_data
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        wallets = connection.execute("select wallet from raw_polymarket.things order by 1").fetchall()
    assert wallets == [("first",), ("second",)]


def test_a_folder_that_was_half_emptied_is_used_anew(warehouse: Path) -> None:
    """As a run leaves it that is killed while dlt empties it, for the warehouse was deleted."""
    pipeline = open_pipeline("polymarket", create=True)
    pipeline.run([{"wallet": "first"}], table_name="things", loader_file_format="parquet")
    warehouse.unlink()
    for schema in Path(pipeline.working_dir, "schemas").iterdir():
        schema.unlink()
    pipeline = open_pipeline("polymarket", create=True)
    sink = DltSink(pipeline, workers=1)
    sink.prepare()
    sink.take_tables([("things", pa.table({"wallet": ["second"]}))])
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        assert connection.execute("select wallet from raw_polymarket.things").fetchall() == [("second",)]


def test_payloads_are_kept_as_fsst_without_a_look_at_anything_else(warehouse: Path) -> None:
    """DuckDB would keep these few texts as a dictionary, which it has to try at the cost of much memory."""
    few = [f'{{"title": "Which of the few is it, {number % 5}?"}}' for number in range(5000)]
    table = pa.table({"payload": few, "title": few})
    DltSink(open_pipeline("polymarket", create=True), workers=1).take_tables([("things", table)])
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("checkpoint")
        found = connection.execute(
            "select column_name, compression from pragma_storage_info('raw_polymarket.things') "
            "where column_name in ('payload', 'title') and segment_type = 'VARCHAR' order by 1"
        ).fetchall()
        assert connection.execute("select list(payload) from raw_polymarket.things").fetchone() == (few,)
    assert found == [("payload", "FSST"), ("title", "Dictionary")]
