#!/bin/sh
# Parses the dbt project for the BigQuery target, which needs no credentials, with every deprecation as an error.
# Its own target path keeps the DuckDB target's parse cache intact.
set -eu
cd "$(dirname "$0")/.."
exec .venv/bin/dbt --quiet --warn-error-options '{"error": ["Deprecations"]}' \
    parse --target bigquery --target-path target/bigquery --no-partial-parse --show-all-deprecations
