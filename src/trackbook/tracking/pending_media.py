"""Rows of media on their way to the store, and the compression of their images, which has a thread of its own.

`log` writes an image uncompressed, because that takes a thirtieth of the time, with a row in the journal that says so. The thread writes the
compressed file, then a second row of the same number into the journal, and only then removes the first file. So there is a whole file of
the image at each moment, and recovery takes the last row of each number.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import math
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from ..media import index
from ..media.image import compressed
from ..media.index import Row
from ..media.uncompressed import MARK, with_own_name
from ..media.values import Encoded, File, Media
from ..pump import Pump
from ..switch_interval import QUICK, switching

if TYPE_CHECKING:
    from ..media.files import MediaFiles
    from .recorder import Recorder

MOST_BYTES: Final = 128 << 20  # of images that wait for their compression: beyond that `log` compresses
_INTERVAL: Final = 0.2  # seconds between two looks for new images
_LOOKS: Final = 25  # in a row without a new image, after which the thread ends


class PendingMedia:
    """The rows of one run that its process has logged and the store has not got, in order."""

    def __init__(self, recorder: Recorder, files: Callable[[], MediaFiles]) -> None:
        self._recorder = recorder
        self._files = files
        self._rows: deque[Row] = deque()
        self._uncompressed: dict[int, Row] = {}  # by number
        self._final: dict[int, Row] = {}  # of those that were uncompressed
        self._superseded: dict[str, None] = {}  # names of files to be removed
        self._bytes = 0
        self._pump = Pump(name="trackbook-images")
        self._looks = 0

    def encoded(self, media: Media) -> Encoded:
        """Return a medium as `log` writes it: uncompressed, unless too many of them wait."""
        found = media.encode_quickly()
        if not found.about.get(MARK) or found.file is None:
            return found
        if self._bytes + found.file.size > MOST_BYTES:
            return media.encode()
        return dataclasses.replace(found, file=with_own_name(found.file))

    def add(self, rows: Iterable[Row]) -> None:
        """Add rows, whose files are written. Called under the recorder's lock, with numbers that ascend."""
        for row in rows:
            if is_uncompressed(row):
                self._uncompressed[row.number] = row
                self._bytes += row.size
            self._rows.append(row)

    def steps(self, metric: str, first: int) -> set[int]:
        """Return the steps of a name from `first` on."""
        return {row.step for row in self._rows.copy() if row.metric == metric and row.step >= first}

    def ready(self, *, compress: bool) -> list[Row]:
        """Return the rows for the store, in order: with `compress` all, else those before the first image that is not compressed yet.

        They stay here until they are `taken`.
        """
        rows = self._rows.copy()
        if self._uncompressed:
            self._looks = 0
            with contextlib.suppress(RuntimeError):  # no thread is to be had, such as at the end of the program
                self._pump.add(self)
        for row in reversed(rows if compress else ()):  # the thread begins with the first one
            self._compress(row)
        self._discard()
        ready = itertools.takewhile(lambda row: row.number not in self._uncompressed, rows)
        found = [self._final.get(row.number, None if is_uncompressed(row) else row) for row in ready]
        return [row for row in found if row is not None]  # None: a signal handler has handed it over meanwhile

    def taken(self, rows: Iterable[Row]) -> None:
        """Forget rows that the store has."""
        for row in rows:
            if self._rows and self._rows[0].number == row.number:
                self._rows.popleft()
            self._final.pop(row.number, None)

    def tick(self, now: float) -> float:
        """Compress what waits, in the thread."""
        waiting = [*self._uncompressed.copy().values()]
        for row in waiting:
            with switching.every(QUICK):
                self._compress(row)
        self._looks = 0 if waiting else self._looks + 1
        return math.inf if self._looks > _LOOKS else _INTERVAL

    def close(self) -> None:
        """End the thread."""
        self._pump.stop()

    def _compress(self, row: Row) -> None:
        """Let a compressed file take the place of a row's, once it was read back. Where that fails, as on a full disk, the row keeps its file."""
        if row.number not in self._uncompressed or row.file is None:
            return
        final, files = compressed_row(row), self._files()
        try:
            file = compressed(File(files.read_whole(row.file), ".png", row.mime))
            with files.in_use():
                files.write(file)
                files.read_whole(file.name)
                self._settle(row, final._replace(file=file.name, size=file.size))
        except Exception:  # noqa: BLE001  training and the end of the run go on, whatever it is
            self._settle(row, final)

    def _settle(self, row: Row, final: Row) -> None:
        with self._recorder.lock:
            if row.number not in self._uncompressed:  # another thread was faster
                return
            is_other = final.file != row.file and self._recorder.journal.note(index.line([final]))
            chosen = final if is_other else compressed_row(row)
            if is_other and row.file is not None:
                self._superseded[row.file] = None
            if row.number not in self._uncompressed:  # a signal handler was faster
                return
            self._final[row.number] = chosen
            del self._uncompressed[row.number]
            self._bytes -= row.size
        self._discard()

    def _discard(self) -> None:
        """Remove superseded files, also those at which an earlier call was interrupted."""
        for name in [*self._superseded]:
            self._files().discard(name)
            self._superseded.pop(name, None)


def is_uncompressed(row: Row) -> bool:
    """Whether the file of a row waits for its compression."""
    return MARK in row.about and row.described.get(MARK) is True


def compressed_row(row: Row) -> Row:
    """Return the row of an uncompressed image as one that is kept as it is."""
    about = {name: value for name, value in row.described.items() if name != MARK}
    return row._replace(about=json.dumps(about, separators=(",", ":")))
