"""Starts the emulator: .emulator/bin/python -m tests.bigquery.emulator --port PORT --data-dir FOLDER"""

from __future__ import annotations

import argparse
import gc
import pathlib

import uvicorn

from tests.bigquery.emulator import extensions, patches, speed, wire


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bigquery.emulator", description="A local BigQuery.")
    parser.add_argument("--port", type=int, default=9050)
    parser.add_argument("--data-dir", type=pathlib.Path, required=True, help="where tables and jobs are kept")
    parser.add_argument("--project", default="demo")
    parser.add_argument(
        "--job-delay-ms",
        type=int,
        default=0,
        help="jobs stay RUNNING for so long, as they do in the cloud, so that clients really poll",
    )
    arguments = parser.parse_args()

    # Parsing makes many small objects that soon die by themselves; looking for cycles among them takes a tenth of it.
    gc.set_threshold(200_000, 50, 50)
    extensions.take_from_packages(arguments.data_dir / "extensions")
    from local_bigquery import app
    from local_bigquery.settings import settings

    settings.bigquery_host, settings.bigquery_port = "127.0.0.1", arguments.port
    settings.default_project_id, settings.data_dir = arguments.project, arguments.data_dir
    patches.apply()
    speed.apply()
    if arguments.job_delay_ms:
        patches.delay_jobs(arguments.job_delay_ms / 1000)
    uvicorn.run(wire.Wire(app), host="127.0.0.1", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
