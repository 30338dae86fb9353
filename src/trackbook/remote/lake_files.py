"""The files of a lake's runs, such as media: each is brought to this machine when it is first asked for."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from ..store.content_files import ContentFiles
from .lake_tables import Lake, text

if TYPE_CHECKING:
    from deltalake import DeltaTable


class LakeFiles:
    """A folder of files as a project has it, which goes with this object."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self.folder = Path(tempfile.mkdtemp(prefix="trackbook-lake-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def bring(self, name: str) -> None:
        """Bring a file, unless it is there.

        Raises ``ValueError`` for what is no name, ``FileNotFoundError`` where the lake has not got all of it, and ``OSError`` where the
        content is not what the name says.
        """
        files = ContentFiles(self.folder)
        if files.has(name):
            return
        table = self._lake.find("blobs")
        parts = 0 if table is None else self._parts(table, name)
        if table is None or not parts:
            raise FileNotFoundError(f"the file {name} is not in {self._lake.name}: its upload has not ended")
        whole = self.folder / secrets.token_hex(8)
        try:
            with whole.open("wb") as file:
                for part in range(parts):
                    found = self._lake.scan(table, ["data"], f"name = {text(name)} AND part = {part}")
                    file.write(found["data"][0])
            if files.add(whole, Path(name).suffix).name != name:
                raise OSError(f"the file {name} of {self._lake.name} is damaged")
        finally:
            whole.unlink(missing_ok=True)

    def _parts(self, table: DeltaTable, name: str) -> int:
        """Return how many parts a file has; 0 while some are not there."""
        found = self._lake.scan(table, ["part", "parts"], f"name = {text(name)}")
        return found["part"].n_unique() if found["part"].n_unique() == found["parts"].max() else 0
