"""Rescue of a damaged file: set it aside, and copy its rows one by one, except those that cannot be read."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from . import sqlite_queries as queries
from .schema import PUT_ORDINALS, RUN_TABLES

_FAMILY: Final = ("", "-wal", "-shm", "-journal")  # suffixes of the files of a SQLite database
_GIVE_UP: Final = 10_000  # consecutive row ids without a readable row, which mean the end of a table
_HOPELESS: Final = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_NOTADB}  # no such table, or no database: so is each row


def set_aside(path: Path) -> Path:
    """Rename a project file with its log and journal, and return its new path."""
    aside = _free(path, f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    for end in reversed(_FAMILY):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + end).rename(aside.with_name(aside.name + end))
    return aside


def _free(path: Path, name: str) -> Path:
    return next(one for one in _names(path, name) if not one.exists())


def _names(path: Path, name: str) -> Iterator[Path]:
    yield path.with_name(name)
    for number in range(2, 10**6):
        yield path.with_name(f"{name}-{number}")


def salvage(damaged: sqlite3.Connection, to: sqlite3.Connection) -> str:
    """Copy readable runs, metrics and points, and return how many in words.

    The marks of journals are not copied: points that were drained may be lost, and to drain them again adds no duplicates.
    """
    copied = {}
    to.execute("begin immediate")
    try:
        for table in RUN_TABLES:
            columns = [row[1] for row in to.execute(f"pragma table_info({table})")]
            names = ", ".join(f'"{name}"' for name in columns)
            put = f"insert or ignore into {table} ({names}) values ({', '.join('?' * len(columns))})"
            copied[table] = 0
            for row in _rows_of(damaged, table, names):
                try:
                    to.execute(put, row)
                    copied[table] += 1
                except sqlite3.IntegrityError:
                    pass  # a damaged row, which violates a constraint of the table
        points = _put_in_order(to)
        to.execute("commit")
    except BaseException:
        to.execute("rollback")
        raise
    return f"the {copied['runs']} runs and {points} points of it that can still be read"


def _rows_of(db: sqlite3.Connection, table: str, names: str) -> Iterator[tuple[Any, ...]]:
    known, misses = _row_ids(db, table), 0
    for rowid in itertools.count(1) if known is None else known:
        try:
            row = db.execute(f"select {names} from {table} where rowid = ?", (rowid,)).fetchone()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) in _HOPELESS:  # an undecodable text has no code
                return
            row = None
        misses = 0 if row else misses + 1
        if row:
            yield row
        elif known is None and misses == _GIVE_UP:
            return


def _row_ids(db: sqlite3.Connection, table: str) -> list[int] | None:
    """Return the row ids of a table in which SQLite finds no damage, None of another."""
    with contextlib.suppress(sqlite3.Error):  # which `_rows_of` meets again, row by row
        if db.execute(f"pragma quick_check({table})").fetchall() == [("ok",)]:
            return [row[0] for row in db.execute(f"select rowid from {table} order by rowid")]
    return None


def _put_in_order(to: sqlite3.Connection) -> int:
    """Set ordinals and stats by the copied chunks, and return the number of points. Of overlapping chunks the first stays."""
    ends: dict[str, int] = dict.fromkeys(
        (row[0] for row in to.execute("select distinct run_id from metrics").fetchall()), 0
    )
    points = 0
    for rowid, run, first, rows in to.execute(
        "select rowid, run_id, first, rows from chunks order by run_id, first"
    ).fetchall():
        if first < ends.get(run, 0):
            to.execute("delete from chunks where rowid = ?", (rowid,))
        else:
            ends[run] = first + rows
            points += rows
    for run, end in ends.items():
        to.execute(PUT_ORDINALS, (run, int(time.time()), end))  # a generation that no cursor has
        queries.recount(to, run, end)
    return points
