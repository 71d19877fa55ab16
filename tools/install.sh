#!/bin/sh
# tools/install.sh LOCKFILE: makes .venv if it is missing and installs exactly what the lock file pins, by hash.
set -eu
cd "$(dirname "$0")/.."
lock=$1

suits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# An environment that an interrupted run left half made has no pip; it is made again.
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    found=
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if suits "$candidate"; then found=$candidate; break; fi
    done
    if [ -z "$found" ]; then
        echo "Python 3.11 or newer is needed and was not found; name one with: make PYTHON=/path/to/python3.11" >&2
        exit 2
    fi
    if ! "$found" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$found has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 2
    fi
    echo "Making .venv with $("$found" --version) ..."
    "$found" -m venv --clear .venv
fi

echo "Installing $lock ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r "$lock"
# The project itself, in place. Its build tool is in the lock file, so nothing is fetched here.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
