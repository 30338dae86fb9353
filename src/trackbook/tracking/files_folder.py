"""The folder of a project's files: media of runs, and what they saved. Several runs may have the same file."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple

from ..artifacts.catalog import catalog_of
from ..artifacts.saved import saved_files
from ..journal.reader import calls_of_all
from ..media.files import MediaFiles
from ..media.index import parsed
from ..store import media_files
from ..store.paths import ProjectPaths

if TYPE_CHECKING:
    from ..store.base import Store
    from ..store.sqlite import SqliteStore


class RunFileNames(NamedTuple):
    """The names of the files of one run."""

    media: set[str]
    saved: set[str]


class FilesFolder:
    """The folder of one project's files, and which of them may not be used any more."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._journals = ProjectPaths(store.path.parent, store.project).journals
        self._left: set[str] = set()  # media files of runs that were deleted or cut back; other runs may use them

    def names_of_run(self, run_id: str) -> RunFileNames:
        """Return the names of a run's files. Raises ``OSError`` when they cannot be read."""
        saved = {row.digest for row in saved_files(self._store, run_id)}
        return RunFileNames(media_files.names_of_run(self._store, run_id), saved)

    def copy(self, run_id: str, target: Store) -> None:
        """Copy the files of a run that are there. Raises ``OSError`` when that fails."""
        if self._store.files_folder is not None and target.files_folder is not None:
            media_files.copy(set().union(*self.names_of_run(run_id)), self._store.files_folder, target.files_folder)

    def in_use(self) -> AbstractContextManager[None]:
        """Keep others from removing files in the context."""
        folder = self._store.files_folder
        return contextlib.nullcontext() if folder is None or not folder.is_dir() else MediaFiles(folder).in_use()

    def cut(self, run_id: str, step: int) -> None:
        """Delete the media of a run after `step`, at the next flush of the store. `sweep` removes their files."""
        self._left |= media_files.drop_after(self._store, run_id, step)

    def remove(self, names: RunFileNames) -> None:
        """Remove the files of a run that was deleted, unless others use them. Raises ``OSError`` as `sweep`, which is to be called again."""
        self._left |= names.media
        self.sweep()
        catalog_of(self._store, self._store.project).collect([*names.saved])

    def sweep(self) -> None:
        """Remove those files of deleted media that neither a run of the store uses, nor a journal whose rows are not in the store yet.

        Called after a flush of the store. While that is looked up, no process records media, so a file that is just being logged again is
        kept. Where files cannot be locked, nothing is removed. Raises ``OSError`` when the store or a journal cannot be read; nothing is
        removed then.
        """
        if not self._left or self._store.files_folder is None:
            return
        files = MediaFiles(self._store.files_folder)
        names, self._left = self._left, set()  # another thread may add some meanwhile
        try:
            with files.sweeping() as alone:
                if alone:
                    files.remove(names, self._used())
        except OSError:
            self._left |= names
            raise

    def _used(self) -> set[str]:
        used = {name for call in calls_of_all(self._journals) for row in parsed(call) for name in row.files}
        for run in self._store.runs():
            used |= media_files.names_of_run(self._store, run.id)
        return used
