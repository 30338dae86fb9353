"""Files that a run saves by globs, each under its path below a base folder."""

from __future__ import annotations

import glob as globbing
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from ..store.content_files import ContentFiles
from ..store.paths import FILES, JOURNALS, SUFFIX
from .names import check_path

if TYPE_CHECKING:
    from ..store.base import Store

# names of the files and folders of projects: the file has others of SQLite's, and of locks, beside it
_OWN: Final = re.compile(rf".*(?:{re.escape(SUFFIX)}(?:[.-].*)?|{re.escape(FILES)}|{re.escape(JOURNALS)})")
_FEW_SECONDS: Final = 2.0  # within which a file system may give two contents the same time of change


class SavedFile(NamedTuple):
    """A file that a run saved, with the columns of the table ``files``."""

    path: str
    digest: str
    size: int
    time: float  # when it was kept, seconds UTC


class Saving:
    """The globs of one run: what they match is kept now, at the end, or both."""

    def __init__(self, store: Store, files: ContentFiles, run_id: str) -> None:
        self._store = store
        self._files = files
        self._run = run_id
        self._known: dict[Path, tuple[float, int]] = {}  # time of change and size of what was kept
        self.at_end: list[tuple[str, Path | None]] = []

    def save(self, pattern: str, base: Path | None = None) -> list[SavedFile]:
        """Keep the files that a glob matches, and return those that are kept under it. Unchanged ones are not read again."""
        rows, found = [], []
        kept = {row.path: row for row in saved_files(self._store, self._run)}
        for path, name in matches(pattern, base):
            if self._is_of_project(path):
                continue
            about = path.stat()
            known = (about.st_mtime, about.st_size)
            if self._known.get(path) == known and name in kept:
                found.append(kept[name])
                continue
            now = time.time()
            stored = self._files.add(path)
            if now - about.st_mtime > _FEW_SECONDS:
                self._known[path] = known
            row = SavedFile(name, stored.name, stored.size, now)
            rows.append(row)
            found.append(row)
        if rows:
            self._store.put_captured(self._run, "files", rows)
        return found

    def _is_of_project(self, path: Path) -> bool:
        """Whether this is a file of Trackbook's own, which ``**`` finds where the projects lie below the current folder."""
        found, home = path.resolve(), self._files.folder.resolve().parent
        return found.is_relative_to(home) and bool(_OWN.fullmatch(found.relative_to(home).parts[0]))


def saved_files(store: Store, run_id: str) -> list[SavedFile]:
    """Return the files that a run saved, by path."""
    return [SavedFile(*row) for row in store.captured(run_id, "files")]


def matches(pattern: str, base: Path | None = None) -> Iterator[tuple[Path, str]]:
    """Yield the files that a glob matches, each with its path below `base`.

    Without a `base` it is the current folder for what lies below it, else the folder before the first wildcard.
    """
    folder = _fixed(pattern) if base is None else base
    for found in sorted(globbing.glob(pattern, recursive=True)):  # noqa: PTH207  # the pattern may be absolute
        path = Path(found)
        if path.is_file():
            yield path, check_path(Path(os.path.relpath(found, folder)).as_posix())


def _fixed(pattern: str) -> Path:
    parts = Path(pattern).parts
    if not Path(pattern).is_absolute() and ".." not in parts:
        return Path()
    plain = next((i for i, part in enumerate(parts) if globbing.has_magic(part)), len(parts) - 1)
    return Path(*parts[:plain])
