#!/bin/sh
# Writes the lock files of requirements/ from pyproject.toml. The pins in place are kept as long as they fit;
# `tools/lock.sh --upgrade` takes the newest versions instead.
# The files name no index host, so that any mirror can serve them, and hold for every supported Python.
set -eu
cd "$(dirname "$0")/.."

compile_for() {
    version=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version "$version" \
        --generate-hashes --no-emit-index-url --no-header --custom-compile-command "make lock" "$@"
}
compile() { compile_for 3.11 "$@"; }

# run: all that `make demo` and `make sync` need. dev: the same pins, and the tests and checks. bench: one more engine.
compile pyproject.toml --extra replica --output-file requirements/run.txt "$@"
compile pyproject.toml --extra replica --extra test --extra lint --extra lock \
    --constraints requirements/run.txt --output-file requirements/dev.txt "$@"
compile --group bench --constraints requirements/dev.txt --output-file requirements/bench.txt "$@"

# emulator: an environment of its own.
compile_for 3.13 --group emulator --override tools/emulator_overrides.txt \
    --output-file requirements/emulator.txt "$@"
