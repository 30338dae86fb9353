"""Where `log` puts its records: files mapped into memory, which outlive the process.

Pages of a mapped file belong to the machine, not to the process: a SIGKILL loses no call that returned, and packing a record
never gives up the GIL, as a write call does. A journal is a folder::

    head.jsonl    the run's record, then a line for each metric, before its first point; locked while its process lives
    000000.seg    records of 32 bytes, in segments of a fixed size
    000001.seg

Traps, each found by trying. A sparse mapping dies of SIGBUS on a full disk: a segment is allocated before it is mapped. Resizing
a mapping raises while numpy looks into it: segments are never resized, the next one takes over. An interrupt between reserving
and packing leaves a hole: records count down to the end of their call, never to 0, and readers pass over what is not whole.
"""

from __future__ import annotations

import itertools
import json
import mmap
import os
import shutil
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from . import _files
from ._names import new_id
from ._records import MOST_AT_ONCE, RECORD, RECORD_BYTES, Batch, batch, read

SMALLEST_SEGMENT: Final = 1 << 18
LARGEST_SEGMENT: Final = 1 << 24
HEAD: Final = "head.jsonl"

_NO_ROOM: Final = (
    "Cannot keep a journal in {home} ({error}). What is logged from now on stays in memory and reaches the store from there; "
    "it is not safe from a killed process until a journal can be kept again."
)
_PACK = [struct.Struct("<" + RECORD * count).pack_into for count in range(33)]


class Journal(Protocol):
    """Written under the run's log lock, drained by one thread at a time."""

    name: str
    notices: list[str]  # standing problems, each a sentence

    def metric(self, name: str) -> int:
        """The number that a new metric has in this journal from now on."""

    def write(self, count: int, fields: Sequence[Any]) -> None:
        """Takes in the records of one call: `count` times the fields of `RECORD`. Costs less than a microsecond."""

    def ready(self) -> Ready:
        """How far the journal is written. Called under the run's log lock, so that no call is half written."""

    def drain(self, ready: Ready) -> Batch | None:
        """What is not `drained` yet and within `ready`, in order, or a part of it; None when there is nothing."""

    def drained(self, marks: Mapping[str, int]) -> None:
        """Goes on from `marks`: the store has the points up to there."""

    def forget(self, marks: Mapping[str, int]) -> None:
        """Lets go of the full segments that `marks` reach the end of: their points are safe in the store."""

    def leave(self) -> None:
        """Lets go of the files and leaves them for the next opener."""

    def close(self) -> None:
        """Removes the journal: all its points are safe in the store."""


class NullJournal:
    """Keeps nothing: the journal of a disabled run."""

    def __init__(self) -> None:
        self.name = ""
        self.notices: list[str] = []

    def metric(self, name: str) -> int:
        return 0

    def write(self, count: int, fields: Sequence[Any]) -> None:
        """Drops the records."""

    def ready(self) -> Ready:
        return []

    def drain(self, ready: Ready) -> Batch | None:
        return None

    def drained(self, marks: Mapping[str, int]) -> None:
        """Nothing is held."""

    def forget(self, marks: Mapping[str, int]) -> None:
        """Nothing is held."""

    def leave(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing is held."""


class _Segment:
    """A stretch of records, mapped from a file or, without one, in memory."""

    __slots__ = ("buffer", "drained", "file", "name", "path", "size", "used")

    def __init__(self, name: str, size: int, path: Path | None, *, mapped: bool = True) -> None:
        self.name = name
        self.size = size
        self.path = path
        self.used = 0
        self.drained = 0
        self.file: int | None = None  # of a segment that is written by appending
        self.buffer: Any
        if path is None:
            self.buffer = bytearray(size)
        elif mapped:
            descriptor = _files.allocate(path, size)
            try:
                self.buffer = mmap.mmap(descriptor, size)
            finally:
                os.close(descriptor)
        else:
            self.buffer = bytearray(size)
            self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)

    def close(self, *, remove: bool) -> None:
        if self.file is not None:
            os.close(self.file)
        if isinstance(self.buffer, mmap.mmap):
            self.buffer.close()
        if remove and self.path is not None:
            self.path.unlink(missing_ok=True)


Ready: TypeAlias = list[tuple[_Segment, int]]


class FileJournal:
    """A journal in the folder `home`; in memory where there is none, or as long as there is no room in it.

    `head` is what an opener must know to take up what a dead process left: the run's record.
    """

    def __init__(self, home: Path | None, head: dict[str, Any]) -> None:
        self.name = f"{head['id']}-{os.getpid()}-{new_id(6)}"
        self.notices: list[str] = []
        self._home = home
        self._folder: Path | None = None
        self._mapped = True
        self._head = head
        self._head_file: int | None = None
        self._metrics: dict[int, str] = {}
        self._numbers = itertools.count()
        self._untold: list[int] = []  # metrics that the head file does not name yet
        self._made = 0
        self._segments: list[_Segment] = []
        self._segment = _Segment("", 0, None)

    def open(self) -> None:
        """Makes the files now, and with them the sign that this process lives; else they come with the first record."""
        self._next_segment(0)

    def metric(self, name: str) -> int:
        number = next(self._numbers)
        self._metrics[number] = name
        self._untold.append(number)
        if self._head_file is not None:
            self._tell_metrics()
        return number

    def write(self, count: int, fields: Sequence[Any]) -> None:
        size = RECORD_BYTES * count
        while True:
            segment = self._segment
            start = segment.used
            if start + size <= segment.size:
                break
            self._next_segment(size)
        # No call stands between reading `used` and setting it, so no signal handler that logs comes in between.
        segment.used = start + size
        if count < len(_PACK):
            _PACK[count](segment.buffer, start, *fields)
        else:
            struct.pack_into("<" + RECORD * count, segment.buffer, start, *fields)
        if segment.file is not None:
            _write_all(segment.file, memoryview(segment.buffer)[start : start + size])

    def ready(self) -> Ready:
        return [(segment, segment.used) for segment in self._segments]

    def drain(self, ready: Ready) -> Batch | None:
        parts, marks, size = [], {}, 0
        for segment, used in ready:
            if segment.drained < used and size < MOST_AT_ONCE:
                parts.append(read(segment.buffer, segment.drained, used))
                size += used - segment.drained
                marks[f"{self.name}/{segment.name}"] = used
        return batch(parts, self._metrics, marks) if marks else None

    def drained(self, marks: Mapping[str, int]) -> None:
        for segment in self._segments:
            segment.drained = marks.get(f"{self.name}/{segment.name}", segment.drained)

    def forget(self, marks: Mapping[str, int]) -> None:
        for segment in list(self._segments):
            if segment is not self._segment and marks.get(f"{self.name}/{segment.name}") == segment.used:
                self._segments.remove(segment)
                segment.close(remove=True)

    def close(self) -> None:
        for segment in self._segments:
            segment.close(remove=True)
        self._segments.clear()
        if self._head_file is not None:
            os.close(self._head_file)
            self._head_file = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def leave(self) -> None:
        for segment in self._segments:
            segment.close(remove=False)
        if self._head_file is not None:
            os.close(self._head_file)
            self._head_file = None

    def _next_segment(self, needed: int) -> _Segment:
        size = min(SMALLEST_SEGMENT << self._made, LARGEST_SEGMENT) if self._made < 16 else LARGEST_SEGMENT
        size = max(size, needed)
        name = f"{self._made:06}.seg"
        self._made += 1
        try:
            self._prepare()
            segment = _Segment(name, size, self._folder and self._folder / name, mapped=self._mapped)
            self.notices = []
        except OSError as error:
            segment = _Segment(name, size, None)
            self.notices = [_NO_ROOM.format(home=self._home, error=error.strerror or error)]
        self._segments.append(segment)
        self._segment = segment
        return segment

    def _prepare(self) -> None:
        """Makes the folder and the head file, if there are none yet, and writes the metrics that it has not."""
        if self._home is None:
            return
        if self._folder is None:
            folder = self._home / self.name
            folder.mkdir(parents=True, exist_ok=True)
            self._folder = folder
            self._mapped = not _files.is_network(folder)
        if self._head_file is None:
            descriptor = _files.hold(self._folder / HEAD, create=True)
            if descriptor is None:
                raise OSError(f"{self._folder / HEAD} is locked")
            _write_all(descriptor, _line(self._head))
            self._head_file = descriptor
        self._tell_metrics()

    def _tell_metrics(self) -> None:
        assert self._head_file is not None
        while self._untold:
            number = self._untold[0]
            _write_all(self._head_file, _line({"metric": number, "name": self._metrics[number]}))
            self._untold.remove(number)


def _line(content: dict[str, Any]) -> bytes:
    return b"\n" + json.dumps(content).encode() + b"\n"  # a line of its own, also after a torn one


def _write_all(descriptor: int, data: Any) -> None:
    """A write that the kernel may split, which `os.write` does not hide."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
