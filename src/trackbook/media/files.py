"""The files of media in the folder of a project's files, their thumbnails, and the locks by which none is removed while it is logged."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from .. import filesystem
from ..store.content_files import ContentFiles
from .values import File

THUMBNAIL: Final = ".thumb"
_LOCK: Final = ".lock"
_PATIENCE: Final = 10.0  # seconds


class MediaFiles(ContentFiles):
    """The files in one folder. Safe in threads, and in any number of processes."""

    def write(self, file: File) -> None:
        """Write a file, unless it is there. Raises ``OSError``, also when a file of the user's changes meanwhile."""
        content = file.content
        if isinstance(content, bytes):
            self.put(content, file.suffix)
        elif self.add(content, file.suffix).name != file.name:
            raise OSError(f"{content} changed while it was copied")

    def existing(self, name: str) -> Path:
        """Return the path of a file. Raises ``ValueError`` for what is no name, ``FileNotFoundError`` when it is not there."""
        path = self.path(name)
        if not path.is_file():
            raise FileNotFoundError(f"the file {name} is not there: it was deleted, or left out of an export")
        return path

    def thumbnail(self, name: str) -> Path:
        """Return where the thumbnail of a file is kept."""
        path = self.path(name)
        return path.with_name(path.name + THUMBNAIL)

    def remove(self, names: Iterable[str], used: Collection[str]) -> None:
        """Remove those of `names` that are not in `used`, and their thumbnails. The caller is alone, as by `sweeping`."""
        unused = [name for name in {*names}.difference(used) if self.is_name(name)]
        self.remove_unused(unused, (), spare=0)
        for name in unused:
            with contextlib.suppress(OSError):  # such as a file that is open on Windows
                self.thumbnail(name).unlink(missing_ok=True)

    def is_name(self, name: str) -> bool:
        """Whether a text may name a file of the folder."""
        try:
            self.path(name)
        except ValueError:
            return False
        return True

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep other processes from removing files that are found or written in the context, until it has recorded them."""
        with self._locked(shared=True):
            yield

    @contextlib.contextmanager
    def sweeping(self) -> Iterator[bool]:
        """Keep all others from recording media. False when that cannot be had; then nothing may be removed."""
        with self._locked(shared=False) as held:
            yield held

    @contextlib.contextmanager
    def _locked(self, *, shared: bool) -> Iterator[bool]:
        descriptor, held = None, False
        try:
            with contextlib.suppress(OSError):  # a full disk, or a file system without locks
                descriptor = self._open_lock()
                held = filesystem.lock(descriptor, patience=_PATIENCE, shared=shared)
            yield held
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _open_lock(self) -> int:
        try:
            return filesystem.open_to_hold(self.folder / _LOCK)
        except FileNotFoundError:
            self.folder.mkdir(parents=True, exist_ok=True)
            return filesystem.open_to_hold(self.folder / _LOCK)
