"""Rows of the tables of `CAPTURED` that are not yet in the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..types import CAPTURED
from . import schema
from .text_gate import recorded_rows

if TYPE_CHECKING:
    from sqlite3 import Connection

Place = tuple[str, str]  # run and table


class CapturedBuffer:
    """Changes of console, cells, media and documents that are not in the file: rows to write, and ranges of keys to delete first."""

    def __init__(self) -> None:
        self._rows: dict[Place, dict[Any, tuple[Any, ...]]] = {}
        self._dropped: dict[Place, list[tuple[Any, Any]]] = {}

    def __bool__(self) -> bool:
        return bool(self._rows or self._dropped)

    def put(self, place: Place, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows, masked and bounded by the text gate. A row replaces the row with the same key."""
        self._rows.setdefault(place, {}).update((row[0], row) for row in recorded_rows(place[1], rows))

    def drop(self, place: Place, first: Any, end: Any) -> None:
        """Delete the rows with keys from `first` up to, and without, `end`: here, and in the file at the next `write`."""
        fresh = self._rows.get(place, {})
        for key in [key for key in fresh if first <= key < end]:
            del fresh[key]
        self._dropped.setdefault(place, []).append((first, end))

    def over(self, place: Place, rows: list[tuple[Any, ...]], after: Any, until: Any = None) -> list[tuple[Any, ...]]:
        """Return the file's `rows` with the changes in this buffer applied, sorted by key, with keys above `after` up to `until`."""
        for first, end in self._dropped.get(place, ()):
            rows = [row for row in rows if not first <= row[0] < end]
        fresh = self._rows.get(place)
        if not fresh:
            return rows
        found = {row[0]: row for row in rows} | {
            key: row for key, row in fresh.items() if (after is None or key > after) and (until is None or key <= until)
        }
        return [found[key] for key in sorted(found)]

    def forget(self, run_id: str) -> None:
        """Discard the changes of a run that is deleted."""
        for table in CAPTURED:
            self._rows.pop((run_id, table), None)
            self._dropped.pop((run_id, table), None)

    def write(self, db: Connection) -> None:
        """Write all changes; call `clear` once they are durable."""
        for (run, table), ranges in self._dropped.items():  # before `_rows`, which may hold newer rows with these keys
            db.executemany(schema.DROP_CAPTURED[table], ((run, *each) for each in ranges))
        for (run, table), rows in self._rows.items():
            db.executemany(schema.PUT_CAPTURED[table], ((run, *row) for row in rows.values()))

    def clear(self) -> None:
        """Discard all changes: they are durable."""
        self._rows.clear()
        self._dropped.clear()
