"""Which files the media of a run need, by the table ``media``, and the folder in which an export keeps them."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..types import CAPTURED
from .content_files import ContentFiles

if TYPE_CHECKING:
    from .base import Store

TABLE: Final = "media"
_COLUMNS: Final = tuple(CAPTURED[TABLE])
_NUMBER, _STEP, _FILE, _ABOUT = map(_COLUMNS.index, ("number", "step", "file", "about"))


def names_of(file: str | None, about: Any) -> Iterator[str]:
    """Yield the names of the files of one medium: its own, and those that its description lists."""
    if file:
        yield file
    listed = about.get("files") if isinstance(about, dict) else None
    if isinstance(listed, list):
        yield from (name for name in listed if isinstance(name, str))


def names_of_rows(rows: Iterable[Sequence[Any]]) -> set[str]:
    """Return the names of the files of rows of the table."""
    found: set[str] = set()
    for row in rows:
        about = None
        with contextlib.suppress(TypeError, ValueError):  # damaged
            about = json.loads(row[_ABOUT])
        found.update(names_of(row[_FILE], about))
    return found


def names_of_run(store: Store, run_id: str) -> set[str]:
    """Return the names of the files of a run. Raises ``OSError`` when they cannot be read."""
    return names_of_rows(store.captured(run_id, TABLE))


def drop_after(store: Store, run_id: str, step: int) -> set[str]:
    """Delete the media of a run after `step`, at the next flush. Return the names of their files, which other media may have, too.

    Raises ``OSError`` when the media cannot be read.
    """
    after = [row for row in store.captured(run_id, TABLE) if row[_STEP] > step]
    for row in after:
        store.drop_captured(run_id, TABLE, row[_NUMBER], row[_NUMBER] + 1)
    return names_of_rows(after)


def copy(names: Iterable[str], source: Path, target: Path) -> int:
    """Copy those files that `source` has; return how many it has not. Raises ``OSError`` for a damaged one, or a full disk."""
    here, there = ContentFiles(source), ContentFiles(target)
    missing = 0
    for name in sorted(names):
        try:
            path = here.path(name)
        except ValueError:  # the table was written by other software
            missing += 1
            continue
        if not path.is_file():
            missing += 1
        elif there.add(path, path.suffix).name != name:
            raise OSError(f"{path} is damaged: its content is not what its name says")
    return missing


def folder_beside(export: Path) -> Path:
    """Return the folder of the media of an export: beside it, because readers take every file in a dataset for points."""
    path = Path(os.path.realpath(export))
    return path.with_name(path.name + ".media")
