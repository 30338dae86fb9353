"""Reads the journals of crashed processes and forked children."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from .. import filesystem
from ..store.paths import journal_prefix
from ..types import Life
from .journal import FORMAT, HEAD
from .records import RECORD_BYTES, Batch, batch, dtype, up_to_a_call

_MOST_AT_ONCE: Final = 50_000  # records of a batch: the store writes so many in one transaction, and with them the mark


class Remains:
    """A journal of another process. `lock` is the result of `filesystem.hold`: None as long as that process lives."""

    def __init__(self, folder: Path, lock: int | None) -> None:
        self.folder = folder
        self.dead = lock is not None
        self._lock = lock
        self.head: dict[str, Any] = {}
        self._metrics: dict[int, str] = {}
        self._read: list[Path] = []  # segments that were read to their end
        for line in _lines(folder / HEAD):
            if isinstance(line.get("id"), str):
                self.head = line  # the last one: of a run that has ended, but could not write so
            elif isinstance(line.get("metric"), int) and isinstance(line.get("name"), str):
                self._metrics[line["metric"]] = line["name"]

    @property
    def is_readable(self) -> bool:
        """Whether its head names the run, in a format that this version reads."""
        return self.head.get("format") == FORMAT

    @property
    def notices(self) -> list[str]:
        """Warnings about a journal that is not readable."""
        if self.head:
            return [
                f"{self.folder} was written by a later trackbook and is left as it is: upgrade to recover what is in it"
            ]
        try:
            segments = self._segments()
        except OSError as error:
            return [f"{self.folder} is left as it is: {error}"]
        if segments:
            return [f"{self.folder} does not say which run it is of and is left as it is: {HEAD} is damaged"]
        return []  # its process died before it logged, or has just begun

    @property
    def is_child(self) -> bool:
        """Whether a forked child wrote it: the run is its parent's."""
        return bool(self.head.get("child"))

    def batches(self, marks: Mapping[str, int]) -> Iterator[Batch]:
        """Yield the records beyond `marks`; of a journal that is still written, those before the first incomplete record."""
        for path in self._segments():
            mark = f"{self.folder.name}/{path.name}"
            start = marks.get(mark, 0)
            count = (path.stat().st_size - start) // RECORD_BYTES
            if count <= 0:
                self._read.append(path)
                continue
            records = np.fromfile(path, dtype(), count, offset=start)
            if self.dead:
                _check_again(path, records.tobytes(), np.fromfile(path, dtype(), count, offset=start).tobytes())
            if len(records) < count:
                raise OSError(f"{path} gave {len(records)} of {count} records")
            if not self.dead:
                holes = np.flatnonzero(records["left"] == 0)
                records = up_to_a_call(records[: holes[0]] if len(holes) else records)
            while len(records):
                some = up_to_a_call(records[:_MOST_AT_ONCE])
                some = some if len(some) else records  # nothing more, or a call larger than that
                records, start = records[len(some) :], start + some.nbytes
                if some["left"].any():
                    yield batch([some], self._metrics, {mark: start})
            self._read.append(path)

    def _segments(self) -> list[Path]:
        """Raises ``OSError`` where the folder cannot be looked into: `Path.glob` would say that it is empty."""
        return sorted(path for path in self.folder.iterdir() if path.suffix == ".seg")

    def remove(self) -> bool:
        """Remove the segments that `batches` read to their end, then the head and its lock; whether all is gone."""
        with contextlib.suppress(OSError):
            for path in self._read:
                path.unlink()
            if not self._segments():
                shutil.rmtree(self.folder, ignore_errors=True)
                self.close()
                shutil.rmtree(self.folder, ignore_errors=True)  # Windows removes no file that is held
        self.close()
        return filesystem.is_missing(self.folder)

    def close(self) -> None:
        """Release the lock."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def remains(home: Path) -> Iterator[Remains]:
    """Yield the journals in `home` whose processes are dead, each locked for the caller, who removes or closes it."""
    for left in _look(home, ""):
        if left.dead:
            yield left


def of_run(home: Path, run: str, *, but: str = "") -> Iterator[Remains]:
    """Yield the journals of a run in `home`, `but` one: those of dead processes locked for the caller, the others readable."""
    for left in _look(home, journal_prefix(run), but):
        if left.is_readable:
            yield left
        else:
            left.close()


def probe(home: Path, run: str, *, children: bool = True, held: str = "") -> Life | None:
    """Return what the locks of a run's journals tell about its process and, with `children`, those forked from it.

    ``unknown``: a journal is there whose lock cannot be tried, such as another user's. None: there is no journal. `held` is one that
    the caller has locked, after its process had let go of it.
    """
    found: set[Life] = {"dead"} if held else set()
    try:
        heads = _heads(home, journal_prefix(run))
    except OSError:
        return "unknown"
    for head in heads:
        if head.parent.name == held:
            continue
        try:
            left = _at(head)
        except FileNotFoundError:  # its process has just removed it
            continue
        except OSError:
            found.add("unknown")
            continue
        if children or not left.is_child:
            found.add("dead" if left.dead else "alive")
        left.close()
    lives: tuple[Life, ...] = ("alive", "unknown", "dead")
    return next((each for each in lives if each in found), None)


def _look(home: Path, prefix: str, but: str = "") -> Iterator[Remains]:
    try:
        heads = _heads(home, prefix)
    except OSError:  # what cannot be looked into now, is another time
        return
    for head in heads:
        if head.parent.name != but:
            with contextlib.suppress(OSError):  # another opener has just removed it, or it is another user's
                yield _at(head)


def _heads(home: Path, prefix: str) -> list[Path]:
    """The heads of the journals whose folders' names begin so. Raises ``OSError`` where nobody can tell."""
    if filesystem.is_missing(home):
        return []
    return sorted(folder / HEAD for folder in home.iterdir() if folder.name.startswith(prefix))


def _at(head: Path) -> Remains:
    """Open a journal, locked if nobody else holds its lock. Raises ``OSError`` where that cannot be tried."""
    lock = filesystem.hold(head)
    try:
        return Remains(head.parent, lock)
    except BaseException:
        if lock is not None:
            os.close(lock)
        raise


def _check_again(path: Path, data: bytes, again: bytes) -> None:
    """Raise ``OSError`` where a file reads otherwise a second time: it is about to be removed for what was read."""
    if data != again:
        raise OSError(f"{path} does not read the same twice")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    data = path.read_bytes()
    _check_again(path, data, path.read_bytes())
    for line in data.split(b"\n"):
        with contextlib.suppress(ValueError, RecursionError):  # a line that was torn
            content = json.loads(line)
            if isinstance(content, dict):
                yield content
