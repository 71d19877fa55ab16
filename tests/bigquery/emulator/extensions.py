"""DuckDB's extensions from the package registry: the emulator would download them from a server of their own."""

from __future__ import annotations

import functools
import importlib.util
import os
import pathlib
from typing import Any

import duckdb

NAMES = ("ducklake", "icu", "spatial")


def take_from_packages(folder: pathlib.Path) -> None:
    """Lays out the packages' extensions in `folder` as DuckDB wants them, and makes every connection look there.

    Raises:
        SystemExit: a package is missing or was made for another version of DuckDB.
    """
    [(platform,)] = duckdb.sql("pragma platform").fetchall()
    version = f"v{duckdb.__version__}"
    target = folder / version / platform
    target.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        package = importlib.util.find_spec(f"duckdb_extension_{name}")
        if package is None or package.origin is None:
            raise SystemExit(f"the package duckdb-extension-{name} is not installed")
        files = list(pathlib.Path(package.origin).parent.glob(f"extensions/{version}/*.duckdb_extension"))
        if not files:
            raise SystemExit(f"duckdb-extension-{name} was not made for DuckDB {version}")
        link = target / files[0].name
        link.unlink(missing_ok=True)
        os.symlink(files[0], link)
    _look_in(folder)


def _look_in(folder: pathlib.Path) -> None:
    connect = duckdb.connect

    @functools.wraps(connect)
    def connect_there(*arguments: Any, config: dict[str, Any] | None = None, **options: Any) -> Any:
        # First in the dictionary, because settings are applied in order and TimeZone needs an extension. The tables are
        # small: further threads of DuckDB cost more than they bring.
        defaults = {"extension_directory": str(folder), "threads": 1}
        return connect(*arguments, config=defaults | (config or {}), **options)

    duckdb.connect = connect_there
