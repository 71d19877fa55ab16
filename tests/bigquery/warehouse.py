"""The whole way on BigQuery: replica, the extractor's command line, the emulator, dbt, the public tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from tests.bigquery.emulator.running import Emulator
from tests.replica.server import RunningReplica
from tests.warehouse.conftest import Warehouse


@dataclass(frozen=True)
class BigQueryWarehouse(Warehouse):
    """A project on disk, pointed at a replica and at an emulator."""

    emulator: Emulator

    @staticmethod
    def on(emulator: Emulator, folder: Path, replica: RunningReplica) -> BigQueryWarehouse:
        project = Warehouse.in_folder(folder, replica).project
        project.environment.update(emulator.environment(folder), DBT_TARGET="bigquery_local")
        return BigQueryWarehouse(project, emulator)

    def rows(self, table: str, columns: str = "*") -> list[dict[str, Any]]:
        return self.query(f"select {columns} from polyomega.{table}")

    def query(self, sql: str) -> list[dict[str, Any]]:
        with self.client() as client:
            return [dict(row.items()) for row in client.query_and_wait(sql)]

    def client(self) -> bigquery.Client:
        return bigquery.Client(
            self.emulator.project, AnonymousCredentials(), client_options={"api_endpoint": self.emulator.url}
        )
