"""SQLite files of other trackers, opened to be read only, while their owners may write them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from .source import Damaged

MAGIC: Final = b"SQLite format 3\0"


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file to be read. What SQLite cannot read raises `Damaged`."""
    try:
        with contextlib.closing(_connected(path)) as db:
            db.text_factory = lambda data: data.decode(errors="backslashreplace")
            yield db
    except sqlite3.Error as error:
        raise Damaged(f"{path} cannot be read: {error}") from None


def _connected(path: Path) -> sqlite3.Connection:
    address = path.absolute().as_uri()
    db = sqlite3.connect(f"{address}?mode=ro", uri=True)
    try:
        db.execute("select 1 from sqlite_schema").fetchone()
    except sqlite3.OperationalError:  # a write-ahead log in a folder that cannot be written to
        db.close()
        db = sqlite3.connect(f"{address}?immutable=1", uri=True)
    return db


def tables(path: Path) -> dict[str, set[str]]:
    """Return the tables of a file with the names of their columns; none for what is no SQLite file."""
    try:
        with path.open("rb") as file:
            is_sqlite = file.read(len(MAGIC)) == MAGIC
    except OSError:
        return {}
    if not is_sqlite:
        return {}
    with contextlib.suppress(Damaged), reading(path) as db:
        names = [name for (name,) in db.execute("select name from sqlite_schema where type = 'table'").fetchall()]
        return {name: columns(db, name) for name in names}
    return {}


def columns(db: sqlite3.Connection, table: str) -> set[str]:
    """Return the names of the columns of a table."""
    return {name for (name,) in db.execute("select name from pragma_table_info(?)", (table,)).fetchall()}


def rows(db: sqlite3.Connection, query: str, *given: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query, one by one."""
    yield from db.execute(query, given)
