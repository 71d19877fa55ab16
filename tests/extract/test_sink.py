"""What a killed run left in dlt's working folder is finished by the next."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from extract.sinks import DltSink
from extract.warehouse import open_pipeline


def test_a_package_that_was_normalized_and_half_deleted_is_loaded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(warehouse))
    monkeypatch.setenv("PIPELINES_DIR", str(tmp_path / "pipelines"))
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


def test_a_folder_that_was_half_emptied_is_used_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a run leaves it that is killed while dlt empties it, for the warehouse was deleted."""
    warehouse = tmp_path / "warehouse.duckdb"
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(warehouse))
    monkeypatch.setenv("PIPELINES_DIR", str(tmp_path / "pipelines"))
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
