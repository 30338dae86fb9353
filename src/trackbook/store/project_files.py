"""Project files without a store: names of what is in them, for completion and to find a run, and `compact`. Loads no Polars."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

from . import schema
from .sqlite_failures import Failure
from .sqlite_file import BUSY_SECONDS, read_alone

T = TypeVar("T")


def read(path: Path, query: Callable[[Connection], T]) -> T:
    """Answer `query` from a project file. Raises ``OSError`` where it cannot be read, is of a later version, or holds no project."""

    def checked(db: Connection) -> T:
        _check(db, path)
        return query(db)

    return read_alone(path, checked)


def run_names(path: Path) -> list[tuple[str, str]]:
    """Return id and name of each run in a project file, oldest first. Raises ``OSError`` as `read`."""
    return read(path, lambda db: db.execute("select id, name from runs order by started, rowid").fetchall())


def metric_names(path: Path) -> list[str]:
    """Return the names of all metrics in a project file, in order of first appearance. Raises ``OSError`` as `read`."""
    query = "select name from metrics group by name order by min(rowid)"
    return [name for (name,) in read(path, lambda db: db.execute(query).fetchall())]


def compact(path: Path) -> tuple[int, int]:
    """Write a project file anew without the room of what was deleted; return its bytes before and after.

    Raises ``OSError`` when that fails, as while another process writes; nothing has changed then.
    """
    before = path.stat().st_size
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as db:
            _check(db, path)
            db.execute("vacuum")
            db.execute("pragma wal_checkpoint(truncate)")
    except Failure as error:
        raise OSError(f"Cannot compact {path}: {error}") from error
    return before, path.stat().st_size


def _check(db: Connection, path: Path) -> None:
    try:
        found = schema.file_version(db)
    except schema.NewerFile as error:
        raise OSError(f"{path} {error}") from error
    if found == 0:
        raise OSError(f"{path} is not a project of Trackbook")
