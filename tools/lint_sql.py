"""`make lint`'s sqlfluff: one process per processor, each with its share of the files.

sqlfluff's own processes would do the same work in twice the time: the garbage collector goes through the trees of the
parsed files again and again. Here it is off, for files are many and small, and a process ends with its share.

Usage: tools/lint_sql.py FOLDER...
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LINT = "import gc; gc.disable(); from sqlfluff.cli.commands import cli; cli()"


def main() -> int:
    files = [file for folder in sys.argv[1:] for file in Path(folder).rglob("*.sql")]
    if not files:
        print("no SQL in " + " ".join(sys.argv[1:]), file=sys.stderr)
        return 2
    # Dealt out by size, so that all end at about the same time.
    files.sort(key=lambda file: (file.stat().st_size, file))
    # Never an empty share: without a file sqlfluff would take the whole folder.
    shares = min(os.cpu_count() or 1, len(files))
    command = [sys.executable, "-c", LINT, "lint", "--disable-progress-bar", "--processes", "1"]
    linting = [subprocess.Popen([*command, *map(str, files[share::shares])]) for share in range(shares)]
    return int(any([process.wait() != 0 for process in linting]))


if __name__ == "__main__":
    sys.exit(main())
