"""Media of a run, read back: `Run.media`."""

from __future__ import annotations

import io
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..media.files import MediaFiles
from ..media.index import Row
from ..settings import user_path
from ..text import did_you_mean
from .logged_media import rows_of

if TYPE_CHECKING:
    from .run import Run

_TEXTS = ("text", "markdown", "html")


class LoggedMedia:
    """One medium as it was logged.

    Its attributes are ``metric``, ``step``, ``time`` (seconds UTC), ``item`` (its place in a list), ``kind``, ``caption``, ``about`` (what
    is known of it, such as width and height), ``mime`` and ``size`` (bytes).
    """

    def __init__(self, row: Row, files: MediaFiles | None) -> None:
        self.metric = row.metric
        self.step = row.step
        self.time = row.time
        self.item = row.item
        self.kind = row.kind
        self.mime = row.mime
        self.size = row.size
        self.caption = row.caption
        self.about = row.described
        self._file = row.file
        self._files = files

    @property
    def path(self) -> Path | None:
        """The path of its file, which is only to be read; None for a histogram. Raises ``FileNotFoundError`` when it is not there."""
        if self._file is None:
            return None
        if self._files is None:
            raise FileNotFoundError(f"the file of {self.metric!r} is not there: the run is not recorded")
        return self._files.existing(self._file)

    def read(self) -> Any:
        """Return its content: an image of PIL, a text, a table of Polars, counts and edges of a histogram, the JSON of a chart or trace.

        Other kinds give their bytes. Raises ``FileNotFoundError`` when the file is not there.
        """
        if self.kind == "histogram":
            import numpy as np

            return np.asarray(self.about["counts"]), np.asarray(self.about["edges"])
        path = self.path
        assert path is not None
        data = path.read_bytes()
        if self.kind in _TEXTS:
            return data.decode()
        if self.kind == "image" and self.mime != "image/svg+xml":
            import PIL.Image

            return PIL.Image.open(io.BytesIO(data))
        if self.kind == "table":
            from ..media.table_rows import read_table

            return read_table(path)
        return json.loads(data) if self.mime.endswith("json") else data

    def save(self, path: str | os.PathLike[str]) -> None:
        """Copy the file to `path`. Raises ``ValueError`` for a histogram, which has none, and ``OSError`` when copying fails."""
        if self.path is None:
            raise ValueError(f"a {self.kind} has no file to save; read() returns its counts and edges")
        shutil.copyfile(self.path, user_path(path))

    def __repr__(self) -> str:
        return f"<{self.kind} {self.metric!r} at step {self.step}{f', item {self.item}' * bool(self.item)}>"


def logged_media(self: Run, metric: str | None = None, step: int | None = None) -> list[LoggedMedia]:
    """Return the media logged so far, in the order in which they were logged.

    Parameters
    ----------
    metric
        A name, by default all.
    step
        A step, by default all.

    Raises
    ------
    ValueError
        When nothing was logged under the name `metric`.
    """
    writer = self._writer
    writer.hand_over()
    rows = rows_of(writer.store, self.id)
    names = list(dict.fromkeys(row.metric for row in rows))
    if metric is not None and metric not in names:
        raise ValueError(f"run {self.name!r} has no media {metric!r}; {did_you_mean(metric, names, 'it has none')}")
    files = None if writer.paths is None else MediaFiles(writer.paths.files)
    chosen = [row for row in rows if metric in (None, row.metric) and step in (None, row.step)]
    return [LoggedMedia(row, files) for row in chosen]
