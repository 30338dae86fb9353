"""What a failure of a project's SQLite file means: it is busy, it is damaged, or something else is wrong."""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path
from typing import Final, Literal

from . import schema

_SMALLEST: Final = 512  # bytes of a page
_WRITE_FORMAT: Final = 18  # a byte of the header (https://sqlite.org/fileformat2.html#file_format_version_numbers)
_NEWEST_FORMAT: Final = b"\x02"

Kind = Literal["busy", "damaged", "other"]
Failure = (sqlite3.Error, OSError, schema.NewerFile, UnicodeDecodeError)  # the last: an error that quotes damaged text
_KINDS: Final[dict[int, Kind]] = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_PROTOCOL: "busy",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
}


# SQLite's errors without a code of their own. Our statements are right, so these mean that a table's definition or the header is damaged.
_LOST: Final = re.compile(
    r"^no such (table|column|index)|^table \w+ (already exists|has no column)|^near |^incomplete input|^unsupported file format"
)


class NotOurFile(sqlite3.DatabaseError):
    """The file is not a database, although SQLite would accept it."""

    sqlite_errorcode = sqlite3.SQLITE_NOTADB


def kind_of(error: BaseException) -> Kind:
    """Return what a failure means for the file."""
    if isinstance(error, UnicodeDecodeError) or _LOST.search(str(error)):
        return "damaged"
    return _KINDS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "other")


def is_refused(error: BaseException) -> bool:
    """Whether SQLite takes the file for one that cannot be written."""
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY


def has_unknown_format(path: Path) -> bool:
    """Whether a file that may be written has a format that SQLite does not know how to write."""
    if not os.access(path, os.W_OK):
        return False
    try:
        with path.open("rb") as file:
            return file.read(_WRITE_FORMAT + 1)[_WRITE_FORMAT:] > _NEWEST_FORMAT
    except OSError:
        return False


def is_no_database(path: Path) -> bool:
    """Whether a file is too short for a database. SQLite takes such a file for an empty one, and overwrites it."""
    try:
        return 0 < path.stat().st_size < _SMALLEST
    except OSError:
        return False
