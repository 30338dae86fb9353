"""Marks of uploads: how far the source of a run, on another machine, is received here. They are deleted with their run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

from ..types import Cursor

ALL: Final = "uploads"  # in place of a journal's name; no journal has it
_ORDINAL_BITS: Final = 44  # of a mark: 17 T points, and half a million rewinds


def of_run(run_id: str) -> str:
    """Return what stands in place of a journal's name in the marks of a run."""
    return f"{ALL}/{quote(run_id, safe='')}"


def mark(run_id: str, source: str, cursor: Cursor) -> dict[str, int]:
    """Return the mark of a cursor."""
    return {f"{of_run(run_id)}/{source}": cursor.generation << _ORDINAL_BITS | cursor.ordinal}


def cursors(marks: Mapping[str, int], source: str) -> dict[str, Cursor]:
    """Return the cursors of a source among marks, by run id."""
    parts = ((name.split("/"), value) for name, value in marks.items())
    return {
        unquote(run): Cursor(value >> _ORDINAL_BITS, value & ((1 << _ORDINAL_BITS) - 1))
        for (_, run, of), value in parts
        if of == source
    }
