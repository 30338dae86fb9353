"""A lake's project for boards: a thread reads what they want next, so that they never wait for the network.

Only files are read when they are asked for, because most never are.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Final, NamedTuple

import polars as pl

from ..store.base import POINTS
from ..store.media_files import TABLE as MEDIA
from ..types import ENDED, Cursor
from .lake_files import LakeFiles
from .lake_store import LakeStore

LOOK_SECONDS: Final = 2.0  # between two looks for new versions
_REST: Final = 10  # times the duration of a look, that the thread sleeps after it
_UNWATCHED_SECONDS: Final = 60.0  # after which the thread ends; the next question starts another
_NONE: Final = pl.DataFrame(schema=POINTS)


class _Next(NamedTuple):
    start: Cursor
    points: pl.DataFrame
    end: Cursor


class _Media(NamedTuple):
    rows: list[tuple[Any, ...]]
    version: int  # of their table
    ended: float | None  # when the run had ended before they were read; None while it ran


class LakeFollower(LakeStore):
    """Until `start`, answers from the lake; from then on `since` returns only what the thread has read."""

    def __init__(self, store: LakeStore) -> None:
        super().__init__(store.lake, store.project)
        self._started = False
        self._asking = threading.Lock()
        self._wanted: dict[str, Cursor] = {}
        self._ready: dict[str, _Next] = {}
        self._media: dict[str, _Media] = {}
        self._files = LakeFiles(store.lake)
        self.files_folder = self._files.folder
        self._asked_at = 0.0
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read by a thread from now on."""
        self._started = True

    def stop(self) -> None:
        """Stop to read."""
        self._stopping.set()
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Wait until the thread has ended, after `stop`."""
        if self._thread is not None:
            self._thread.join(seconds)

    def since(self, run_id: str, cursor: Cursor, most: int | None = None) -> tuple[pl.DataFrame, Cursor]:
        if not self._started:
            return super().since(run_id, cursor, most)
        with self._asking:
            self._asked_at = time.monotonic()
            is_new = run_id not in self._wanted
            self._wanted[run_id] = cursor
            found = self._ready.pop(run_id, None)
            is_over = self._thread is None or not self._thread.is_alive()
            if is_over and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._work, name="trackbook-lake", daemon=True)
                self._thread.start()
        if is_new:
            self._wake.set()
        if found is None or found.start != cursor:
            return _NONE, cursor
        return found.points, found.end

    def captured(self, run_id: str, table: str, after: Any = None, until: Any = None) -> list[tuple[Any, ...]]:
        """Return rows as a store does. Raises ``OSError`` for media that the thread has yet to read."""
        if not self._started or table != MEDIA:
            return super().captured(run_id, table, after, until)
        found = self._media.get(run_id)
        if found is None or found.ended != self._ended(run_id):
            raise OSError(f"the media of run {run_id!r} are not read yet")
        return [row for row in found.rows if (after is None or row[0] > after) and (until is None or row[0] <= until)]

    def bring_file(self, name: str) -> None:
        with self._as_store():
            self._files.bring(name)

    def _ended(self, run_id: str) -> float | None:
        known = self.run(run_id)
        return known.ended if known is not None and known.state in ENDED else None

    def _work(self) -> None:
        while time.monotonic() - self._asked_at < _UNWATCHED_SECONDS and not self._stopping.is_set():
            begin = time.monotonic()
            try:
                self.refresh()
                self._read_wanted()
                self._read_media()
                self.notices = [*self.record_notices]
            except OSError as error:
                self.notices = [f"{error}; what was read before is shown"]
            self._wake.wait(max(LOOK_SECONDS, _REST * (time.monotonic() - begin)))
            self._wake.clear()

    def _read_wanted(self) -> None:
        with self._asking:
            wanted = {run: cursor for run, cursor in self._wanted.items() if run not in self._ready}
        for run, cursor in wanted.items():
            points, end = super().since(run, cursor)
            if end != cursor:
                with self._asking:
                    self._ready[run] = _Next(cursor, points, end)

    def _read_media(self) -> None:
        with self._asking:
            wanted = list(self._wanted)
        with self._lock, self._as_store():
            table = self.lake.find(MEDIA)
        version = -1 if table is None else table.version()
        for run in wanted:
            known, ended = self._media.get(run), self._ended(run)
            if known is None or known.ended != ended or (ended is None and known.version != version):
                self._media[run] = _Media(super().captured(run, MEDIA), version, ended)
