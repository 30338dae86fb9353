"""Reads the journals of crashed processes and forked children."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .. import filesystem
from ..store.paths import digest, journal_prefix
from ..types import Life
from .journal import CALLS, FORMAT, HEAD, SEGMENT
from .records import RECORD_BYTES, Batch, batch, dtype, up_to_a_call

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SURE_SECONDS: Final = 0.1  # after its last change, from when on a change of a folder is seen by its time
_RELIST_SECONDS: Final = 1.0
_PIECE: Final = 1 << 14  # records that are read at once of a segment that is being written: most of it is empty
_MOST_AT_ONCE: Final = 50_000  # records of a batch: the store writes them and their mark in one transaction


class Remains:
    """A journal of another process. `lock` is the result of `filesystem.hold`: None while that process is alive."""

    def __init__(self, folder: Path, lock: int | None) -> None:
        self.folder = folder
        self.dead = lock is not None
        self._lock = lock
        self.head: dict[str, Any] = {}
        self._metrics: dict[int, str] = {}
        self._read: list[Path] = []  # segments that were read to their end
        for line in _lines(folder / HEAD):
            if isinstance(line.get("id"), str):
                self.head = line  # the last line: a run that has ended adds its final record
            elif isinstance(line.get("metric"), int) and isinstance(line.get("name"), str):
                self._metrics[line["metric"]] = line["name"]

    @property
    def is_readable(self) -> bool:
        """Whether its head names the run, in a format that this version reads."""
        return self.head.get("format") == FORMAT

    @property
    def notices(self) -> list[str]:
        """Warnings about a journal that cannot be read."""
        if self.head:
            return [
                f"{self.folder} was written by a later trackbook and is left as it is: upgrade to recover its points"
            ]
        try:
            segments = self._segments()
        except OSError as error:
            return [f"{self.folder} is left as it is: {error}"]
        if segments:
            return [f"{self.folder} does not name its run and is left as it is: {HEAD} is damaged"]
        return []  # the process died before it logged, or has just begun

    @property
    def is_child(self) -> bool:
        """Whether it was written by a forked child of the run's process."""
        return bool(self.head.get("child"))

    def batches(self, marks: Mapping[str, int]) -> Iterator[Batch]:
        """Yield the records beyond `marks`. While the journal is being written, stop before the first incomplete record."""
        for path in self._segments():
            mark = f"{self.folder.name}/{path.name}"
            start = marks.get(mark, 0)
            count = (path.stat().st_size - start) // RECORD_BYTES
            if count <= 0:
                self._read.append(path)
                continue
            records = _all(path, start, count) if self.dead else self._written(path, start, count)
            while len(records):
                some = up_to_a_call(records[:_MOST_AT_ONCE])
                some = some if len(some) else records  # the rest is one call, or an incomplete one
                records, start = records[len(some) :], start + some.nbytes
                if some["left"].any():
                    yield batch([some], self._metrics, {mark: start})
            self._read.append(path)

    def _written(self, path: Path, start: int, count: int) -> NDArray[np.void]:
        """Return the next complete calls of a segment that is being written, as far as the names of their metrics were there."""
        import numpy as np

        pieces = [np.empty(0, dtype())]
        while count > 0:
            piece = np.fromfile(path, dtype(), min(count, _PIECE), offset=start)
            missing = np.flatnonzero((piece["left"] == 0) | ~np.isin(piece["metric"], [*self._metrics]))
            pieces.append(piece[: missing[0]] if len(missing) else piece)
            if len(missing) or not len(piece):
                break
            start, count = start + piece.nbytes, count - len(piece)
        return up_to_a_call(np.concatenate(pieces))

    def calls(self, start: int = 0) -> tuple[list[Any], int]:
        """Return what the journal notes beside points, from an offset on: a JSON value for each call, and the offset after them.

        Raises ``OSError`` when that cannot be read.
        """
        path = self.folder / CALLS
        if filesystem.is_missing(path):
            return [], start
        data = _read(path, start)
        if not self.dead:
            data = data[: data.rfind(b"\n") + 1]
        return list(_values(data)), start + len(data)

    def _segments(self) -> list[Path]:
        """Return the segments in order. Raises ``OSError`` when the folder cannot be read, where `Path.glob` would find nothing."""
        return sorted(path for path in self.folder.iterdir() if path.suffix == SEGMENT)

    def remove(self) -> bool:
        """Remove the segments that `batches` has read completely, then the head and its lock; return whether all are removed."""
        with contextlib.suppress(OSError):
            for path in self._read:
                path.unlink()
            if not self._segments():
                shutil.rmtree(self.folder, ignore_errors=True)
                self.close()
                shutil.rmtree(self.folder, ignore_errors=True)  # again: Windows cannot remove an open file
        self.close()
        return filesystem.is_missing(self.folder)

    def close(self) -> None:
        """Release the lock."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


class ReadJournals:
    """The journals of a project as often as they are wanted, to be read only, whoever writes them."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._listed = -1.0, -1.0  # when the folder was listed, and when it had been changed
        self._names: dict[str, list[str]] = {}  # of journals, by the digest of their run
        self._known: dict[str, tuple[int, Remains]] = {}  # by name, with the size of the head

    def of_run(self, run: str) -> list[Remains]:
        """Return the journals of a run. Raises ``OSError`` when they cannot be read now."""
        self._list()
        found = []
        for name in self._names.get(digest(run), ()):
            with contextlib.suppress(FileNotFoundError):  # the process has just removed it
                size = (self._home / name / HEAD).stat().st_size
                if name not in self._known or self._known[name][0] != size:
                    self._known[name] = size, Remains(self._home / name, None)
                found.append(self._known[name][1])
        return found

    def _list(self) -> None:
        """List the folder again, unless it is the same: a board asks for each of its runs ten times a second."""
        try:
            now, changed = time.time(), self._home.stat().st_mtime
        except FileNotFoundError:
            self._names.clear()
            return
        listed, before = self._listed
        if changed == before and changed + _SURE_SECONDS < listed <= now < listed + _RELIST_SECONDS:
            return
        names = sorted(folder.name for folder in self._home.iterdir())
        self._names = {run: [*each] for run, each in itertools.groupby(names, lambda name: name.partition("-")[0])}
        self._known = {name: self._known[name] for name in names if name in self._known}
        self._listed = now, changed


def remains(home: Path) -> Iterator[Remains]:
    """Yield the journals in `home` whose processes are dead. Each is locked; the caller removes or closes it."""
    for left in _look(home, ""):
        if left.dead:
            yield left


def of_run(home: Path, run: str, *, but: str = "") -> Iterator[Remains]:
    """Yield the journals of a run in `home`, except `but`. Those of dead processes are locked; others can only be read."""
    for left in _look(home, journal_prefix(run), but):
        if left.is_readable:
            yield left
        else:
            left.close()


def calls_of_all(home: Path) -> list[Any]:
    """Return what all journals in `home` note beside points, whoever writes them. Raises ``OSError`` when one cannot be read."""
    found: list[Any] = []
    for folder in _folders(home):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # no such notes, or the run has just ended
            found += _values(_read(folder / CALLS))
    return found


def probe(home: Path, run: str, *, children: bool = True, held: str = "") -> Life | None:
    """Return whether a run's process, or with `children` one forked from it, is alive according to the locks of its journals.

    ``unknown`` means that a lock cannot be tried, such as another user's; None that there is no journal. `held` is a journal that
    the caller has locked after its process released it.
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
        except FileNotFoundError:  # the process has just removed it
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
    except OSError:  # the folder cannot be read now
        return
    for head in heads:
        if head.parent.name != but:
            with contextlib.suppress(OSError):  # another opener has just removed it, or it is another user's
                yield _at(head)


def _heads(home: Path, prefix: str) -> list[Path]:
    """Return the heads of journals whose folders' names begin with `prefix`. Raises ``OSError`` when `home` cannot be read."""
    return sorted(folder / HEAD for folder in _folders(home) if folder.name.startswith(prefix))


def _folders(home: Path) -> list[Path]:
    """Return the folders of all journals, none before there is a `home`. Raises ``OSError`` when it cannot be read."""
    try:
        return [*home.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _at(head: Path) -> Remains:
    """Open a journal, and lock it unless another process holds the lock. Raises ``OSError`` when that cannot be tried."""
    lock = filesystem.hold(head)
    try:
        return Remains(head.parent, lock)
    except BaseException:
        if lock is not None:
            os.close(lock)
        raise


def _all(path: Path, start: int, count: int) -> NDArray[np.void]:
    """Return records of a segment whose process is dead. Raises ``OSError`` when not all can be read, or not twice the same."""
    import numpy as np

    records, again = (np.fromfile(path, dtype(), count, offset=start) for _ in range(2))
    _check_again(path, records.tobytes(), again.tobytes())
    if len(records) < count:
        raise OSError(f"{path} gave {len(records)} of {count} records")
    return records


def _check_again(path: Path, data: bytes, again: bytes) -> None:
    """Raise ``OSError`` when two reads of a file differ, since the file will be removed once its points are stored."""
    if data != again:
        raise OSError(f"{path} does not read the same twice")


def _read(path: Path, start: int = 0) -> bytes:
    """Return a file from an offset on. Raises ``OSError`` when not all can be read, or not twice the same."""
    size = path.stat().st_size - start
    reads = []
    for _ in range(2):
        with path.open("rb") as file:
            file.seek(start)
            reads.append(file.read())
    if min(map(len, reads)) < size:
        raise OSError(f"{path} gave {min(map(len, reads))} of {size} bytes")
    data, again = reads
    _check_again(path, data, again[: len(data)])  # it may be growing
    return data


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for content in _values(_read(path)):
        if isinstance(content, dict):
            yield content


def _values(data: bytes) -> Iterator[Any]:
    for line in data.split(b"\n"):
        with contextlib.suppress(ValueError, RecursionError):  # a torn line
            yield json.loads(line)
