#!/bin/sh
# deploy/summary.sh LOG: what a workflow shows on the page of its run: the end of the log, and the state of the warehouse.
set -eu
cd "$(dirname "$0")/.."
# Indented, it is text to the end of the line; a fence could be closed by what a venue writes into an error.
as_text() { sed 's/^/    /' && echo; }
if [ -f "$1" ]; then tail -n 60 "$1" | as_text; fi
# Failed wallets are told by the exit code too; here they are only shown.
{ .venv/bin/dlt pipeline status 2>&1 || true; } | as_text
