"""The files of media in the folder of a project's files, and their thumbnails."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from ..store.content_files import ContentFiles
from .values import File

THUMBNAIL: Final = ".thumb"


class MediaFiles(ContentFiles):
    """The files in one folder. Safe in threads, and in any number of processes."""

    def write(self, file: File) -> None:
        """Write a file, unless it is there. Raises ``OSError``, also when a file of the user's changes meanwhile."""
        content = file.content
        if isinstance(content, bytes):
            self.put(content, file.suffix, digest=file.digest)
        elif self.add(content, file.suffix).name != file.name:
            raise OSError(f"{content} changed while it was copied")

    def existing(self, name: str) -> Path:
        """Return the path of a file. Raises ``ValueError`` for what is no name, ``FileNotFoundError`` when it is not there."""
        path = self.path(name)
        if not path.is_file():
            raise FileNotFoundError("the file of this medium is not there: it was deleted, or left out of an export")
        return path

    def thumbnail(self, name: str) -> Path:
        """Return where the thumbnail of a file is kept."""
        path = self.path(name)
        return path.with_name(path.name + THUMBNAIL)

    def discard(self, name: str) -> None:
        """Remove a file that nothing names, if the system lets it go."""
        for path in (self.path(name), self.thumbnail(name)):
            with contextlib.suppress(OSError, MemoryError):  # such as a file that is open on Windows
                path.unlink(missing_ok=True)

    def remove(self, names: Iterable[str], used: Collection[str]) -> None:
        """Remove those of `names` that are not in `used`, and their thumbnails. The caller is alone, as by `sweeping`."""
        unused = [name for name in {*names}.difference(used) if self.is_name(name)]
        self.remove_unused(unused, (), spare=0)
        for name in unused:
            self.discard(name)

    def is_name(self, name: str) -> bool:
        """Whether a text may name a file of the folder."""
        try:
            self.path(name)
        except ValueError:
            return False
        return True
