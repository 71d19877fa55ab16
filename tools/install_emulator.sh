#!/bin/sh
# tools/install_emulator.sh: makes .emulator, the environment of the local BigQuery that the tests use, and installs
# exactly what requirements/emulator.txt pins, by hash. It needs a newer Python than the project itself; where there is
# none the proofs on BigQuery are left out, and said to be. Where CI is set they are required: their lack is an error.
set -eu
cd "$(dirname "$0")/.."
lock=requirements/emulator.txt

# Tried by running: what a version manager puts on the path may be a stub that refuses.
suits() { "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 13))' >/dev/null 2>&1; }

# One candidate per line, most wanted first: named, on the path, of pyenv, of uv.
candidates() {
    if [ -n "${EMULATOR_PYTHON:-}" ]; then echo "$EMULATOR_PYTHON"; return; fi
    printf '%s\n' python3.13 python3.14 python3
    # A version that pyenv has and does not use stands behind its shims, wherever those are.
    { printf '%s\n' "${PYENV_ROOT:-$HOME/.pyenv}"; echo "$PATH" | tr ':' '\n' | sed -n 's|/shims/*$||p'; } |
        while IFS= read -r root; do
            for version in "$root"/versions/3.1[3-9]*; do echo "$version/bin/python"; done
        done
    for uv in uv .venv/bin/uv; do UV_PYTHON_DOWNLOADS=never "$uv" python find '>=3.13' 2>/dev/null || true; done
}

if ! .emulator/bin/python -m pip --version >/dev/null 2>&1; then
    found=$(candidates | while IFS= read -r candidate; do
        if suits "$candidate"; then echo "$candidate"; break; fi
    done)
    if [ -z "$found" ]; then
        echo "No Python 3.13 or newer was found (on the path, in pyenv, in uv), which the local BigQuery needs."
        echo "NOT RUN without it: tests/bigquery, that is loading, building, parity and kills on BigQuery."
        echo "Name one with: make EMULATOR_PYTHON=/path/to/python3.13"
        if [ -n "${CI:-}" ]; then exit 2; fi
        exit 0
    fi
    echo "Making .emulator with $("$found" --version) ..."
    "$found" -m venv --clear .emulator
fi

echo "Installing $lock ..."
# Dependencies are not resolved again: the emulator asks for a newer DuckDB than its extensions exist for.
.emulator/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r "$lock"
touch .emulator/.installed
