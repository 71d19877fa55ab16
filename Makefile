# Everything a newcomer needs: Python 3.11 or newer, make and git. `make` alone lists the targets.

PYTHON ?=
# Python 3.13 or newer for the local BigQuery of the tests; found by itself where it can be.
EMULATOR_PYTHON ?=
# Further arguments for `dlt pipeline run` in `make sync`, and for pytest in `make test`.
ARGS ?=
PYTEST_ARGS ?=

BIN := .venv/bin
# Checks compile the models on an empty in-memory DuckDB: they neither create nor lock anybody's warehouse.
CHECK_ENV := DBT_TARGET=duckdb DESTINATION__DUCKDB__CREDENTIALS=:memory:

.DEFAULT_GOAL := help
.PHONY: help demo sync test pytest lint lint-python lint-sql format docs bench soak lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-11s %s\n", $$1, $$2}' Makefile

demo: $(BIN)/.installed profiles.yml  ## the whole way against a local replica of the venues' APIs: no key, no network
	@$(BIN)/python tools/demo.py

sync: $(BIN)/.installed profiles.yml  ## the same against the live public APIs, into warehouse.duckdb (ARGS="--top 50")
	@$(BIN)/python tools/sync.py $(ARGS)

test: $(BIN)/.installed-dev profiles.yml  ## every check and every test
	@$(MAKE) --no-print-directory -j2 lint .emulator/.installed
	@$(MAKE) --no-print-directory pytest

pytest: $(BIN)/.installed-dev profiles.yml .emulator/.installed  ## the tests alone (PYTEST_ARGS="tests/extract -x")
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

lint: lint-python lint-sql  ## ruff, mypy, dbt parse for BigQuery with deprecations as errors, sqlfluff

lint-python: $(BIN)/.installed-dev  ## of these, what looks at Python
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lint-sql: $(BIN)/.installed-dev profiles.yml  ## of these, what looks at SQL
	$(CHECK_ENV) tools/parse_bigquery.sh
	$(CHECK_ENV) $(BIN)/python tools/lint_sql.py models tests/singular

format: $(BIN)/.installed-dev  ## lay out the Python code as `make lint` wants it
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

docs: $(BIN)/.installed profiles.yml  ## the models' documentation as one file, target/static_index.html
	$(BIN)/dbt docs generate --static

bench: $(BIN)/.installed-bench profiles.yml  ## speed and memory, each beside a limit measured in the same run
	$(BIN)/python -m benchmarks

soak: $(BIN)/.installed-bench profiles.yml .emulator/.installed  ## the long run: the tests with larger numbers, then larger benchmarks
	POLYOMEGA_SOAK=1 $(BIN)/python -m pytest tests/extract tests/warehouse tests/bigquery tests/tools $(PYTEST_ARGS)
	$(BIN)/python -m benchmarks --soak

lock: $(BIN)/.installed-dev  ## write requirements/ anew from pyproject.toml (ARGS=--upgrade for newer versions)
	tools/lock.sh $(ARGS)

clean:  ## remove the environment, caches and the demo's data; never warehouse.duckdb, profiles.yml or secrets
	rm -rf .venv .emulator target logs build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf demo.duckdb demo.duckdb.wal .polyomega/demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp per lock file: an environment that is up to date costs nothing the second time.
$(BIN)/.installed: requirements/run.txt pyproject.toml tools/install.sh
	@PYTHON="$(PYTHON)" tools/install.sh requirements/run.txt
	@touch $@

$(BIN)/.installed-dev: requirements/dev.txt $(BIN)/.installed
	@PYTHON="$(PYTHON)" tools/install.sh requirements/dev.txt
	@touch $@

$(BIN)/.installed-bench: requirements/bench.txt $(BIN)/.installed-dev
	@PYTHON="$(PYTHON)" tools/install.sh requirements/bench.txt
	@touch $@

# The local BigQuery that the tests talk to. Without a Python for it the script says so and nothing is made.
.emulator/.installed: requirements/emulator.txt tools/install_emulator.sh $(BIN)/.installed-dev
	@EMULATOR_PYTHON="$(EMULATOR_PYTHON)" tools/install_emulator.sh

# No prerequisites: made when it is missing, never overwritten.
profiles.yml:
	@cp profiles.yml.example profiles.yml
	@echo "profiles.yml made from profiles.yml.example: yours to edit, never overwritten."
