"""The writing side of the journal: files mapped into memory, which outlive the process.

Pages of a mapped file belong to the kernel, not to the process. So a SIGKILL loses no call that has returned, and packing a record
never releases the GIL, as a write call does. A journal is a folder::

    head.jsonl    the run's record, then a line for each metric, before its first point; locked while its process lives
    000000.seg    records of 32 bytes, in segments of a fixed size
    000001.seg
    calls.jsonl   what is no point, such as the names of media files: a line for each call

Traps, each found by trying. A process that maps a sparse file dies of SIGBUS on a full disk, so a segment is allocated before it is
mapped. Resizing a mapping raises while numpy has a view of it, so segments are never resized; the next one follows. An interrupt
between reserving and packing leaves a hole: records count down to 1 at the end of their call, and readers skip incomplete calls.
Where mapping is unsafe (network file systems) or refused, a segment is packed in memory, and each call is written to its file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import itertools
import json
import mmap
import os
import shutil
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from .. import filesystem
from ..ids import new_id
from ..store.paths import journal_prefix
from ..types import RunRecord
from .records import MOST_AT_ONCE, RECORD, RECORD_BYTES, Batch, batch, read

SMALLEST_SEGMENT: Final = 1 << 18
LARGEST_SEGMENT: Final = 1 << 24
HEAD: Final = "head.jsonl"
CALLS: Final = "calls.jsonl"
SEGMENT: Final = ".seg"  # how the names of segments end
FORMAT: Final = 1  # of the folder; a newer format is left alone

_MOST_AT_A_TIME: Final = 32  # records packed by one call into C
_REFUSED: Final = {
    errno.EOPNOTSUPP,
    errno.ENOTSUP,
    errno.EINVAL,
    errno.ENODEV,
    errno.ENOSYS,
}  # of allocation or mapping
_PATIENCE: Final = 5.0  # seconds
_NO_ROOM: Final = (
    "Cannot keep a journal in {home} ({error}). What is logged from now on stays in memory and reaches the store from there; "
    "it is not safe from a killed process until a journal can be kept again."
)
_PACK = [struct.Struct("<" + RECORD * count).pack_into for count in range(_MOST_AT_A_TIME + 1)]


def head_of(run: RunRecord) -> dict[str, Any]:
    """Return what the head of a run's journal says of the run, as a store would keep it."""
    from ..store.text_gate import recorded_run

    return dataclasses.asdict(recorded_run(run))


class Journal(Protocol):
    """A write-ahead log. Written under the run's log lock, drained by one thread at a time."""

    name: str
    notices: list[str]  # current problems, each a sentence

    def metric(self, name: str) -> int:
        """Return a number for a new metric in this journal."""

    def write(self, count: int, fields: Sequence[Any]) -> None:
        """Write the records of one call: `count` times the fields of `RECORD`. Takes less than a microsecond."""

    def note(self, line: bytes) -> bool:
        """Write what a call records beside points: one JSON value, which outlives the process. Return False when the disk fails."""

    def ready(self) -> Ready:
        """Return how far the journal is written. Called under the run's log lock, so that no call is partly written."""

    def backlog(self) -> int:
        """Return about how many bytes are written and not drained, without a lock."""

    def drain(self, ready: Ready) -> Batch | None:
        """Return records up to `ready` that are not `drained` yet, in order, or some of them; None if there are none."""

    def drained(self, marks: Mapping[str, int]) -> None:
        """Note that the store has the points up to `marks`."""

    def forget(self, marks: Mapping[str, int]) -> None:
        """Remove full segments whose points are durable in the store, according to the `marks` of this and earlier calls."""

    def at_risk(self) -> int | None:
        """Return how many records would be lost with this process, None where run and records are all in files or in the store."""

    def leave(self, head: dict[str, Any] | None = None) -> None:
        """Close the files, but leave them for the next process that opens the project, with the run's current record."""

    def close(self) -> None:
        """Remove the journal, since all its points are durable in the store."""


class _Segment:
    """A fixed number of records in a mapped file, or without a file in memory."""

    __slots__ = ("buffer", "drained", "file", "name", "path", "rested", "safe", "size", "used")

    def __init__(self, name: str, size: int, path: Path | None, *, mapped: bool = True) -> None:
        self.name = name
        self.size = size
        self.path = path
        self.used = 0
        self.drained = 0
        self.safe = 0  # bytes whose points are durable in the store
        self.rested = -1  # the value of `drained` at the last `rest`
        self.file: int | None = None  # the descriptor of a segment that is not mapped
        self.buffer: Any
        if path is None:
            self.buffer = bytearray(size)
        elif mapped:
            descriptor = filesystem.allocate(path, size)
            try:
                self.buffer = mmap.mmap(descriptor, size)
            finally:
                os.close(descriptor)
        else:
            self.buffer = bytearray(size)
            self.file = filesystem.open_to_write(path)

    @property
    def is_in_memory(self) -> bool:
        """Whether its records are lost with the process."""
        return self.file is None and not isinstance(self.buffer, mmap.mmap)

    def write_through(self, start: int, size: int) -> None:
        """Write a part of the buffer to the file. After an ``OSError`` the segment is only in memory."""
        if self.file is not None:
            try:
                filesystem.write_at(self.file, memoryview(self.buffer)[start : start + size], start)
            except (OSError, MemoryError):
                self.close_file()
                raise

    def rest(self) -> None:
        """Release a full segment's pages from this process's memory. They stay in the page cache and in the file."""
        if self.rested == self.drained or not hasattr(mmap, "MADV_DONTNEED"):
            return
        if isinstance(self.buffer, mmap.mmap) and hasattr(self.buffer, "madvise"):
            self.rested = self.drained
            with contextlib.suppress(OSError, ValueError):  # the program has locked its memory; the segment is closed
                self.buffer.madvise(mmap.MADV_DONTNEED)

    def close_file(self) -> None:
        descriptor, self.file = self.file, None
        if descriptor is not None:
            os.close(descriptor)

    def close(self, *, remove: bool) -> None:
        self.close_file()
        if isinstance(self.buffer, mmap.mmap):
            with contextlib.suppress(BufferError):  # a forked child inherits the pump's views of the buffer
                self.buffer.close()
        if remove and self.path is not None:
            with contextlib.suppress(OSError):  # it is removed later with the folder
                self.path.unlink(missing_ok=True)


Ready: TypeAlias = list[tuple[_Segment, int]]


class FileJournal:
    """A journal in the folder `home`; in memory without a folder, or while the disk is full.

    `head` is the run's record, which another process needs to recover the journal after this one has died.
    """

    def __init__(self, home: Path | None, head: dict[str, Any]) -> None:
        self.name = f"{journal_prefix(head['id'])}{os.getpid()}-{new_id(6)}"
        self.notices: list[str] = []
        self._home = home
        self._folder: Path | None = None
        self._mapped = True
        self._head = {"format": FORMAT, **head}
        self._head_file: int | None = None
        self._calls_file: int | None = None
        self._head_told = False
        self._metrics: dict[int, str] = {}
        self._numbers = itertools.count()
        self._untold: list[int] = []  # numbers of metrics that are not yet in the head file
        self._made = 0
        self._segments: list[_Segment] = []
        self._segment = _Segment("", 0, None)

    def open(self) -> None:
        """Make the files, with the lock that proves that this process is alive. Otherwise the first record makes them."""
        self._next_segment(0)

    def metric(self, name: str) -> int:
        number = next(self._numbers)
        self._metrics[number] = name
        self._untold.append(number)
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
        # There is no call between reading and setting `used`, so no signal handler that logs can run in between.
        segment.used = start + size
        if count <= _MOST_AT_A_TIME:
            _PACK[count](segment.buffer, start, *fields)
        else:
            _pack(segment.buffer, start, fields)
        if segment.file is not None:
            try:
                segment.write_through(start, size)
            except (OSError, MemoryError) as error:
                self._note(error)

    def note(self, line: bytes) -> bool:
        if self._home is None:
            return True
        try:
            if self._calls_file is None:
                self._calls_file = filesystem.open_to_hold(self._prepare(self._home) / CALLS)
            filesystem.write_all(self._calls_file, b"\n" + line + b"\n")  # a separate line, even after a torn one
        except (OSError, MemoryError) as error:
            self._note(error)
            return False
        return True

    def ready(self) -> Ready:
        self._tell_metrics()
        if self._is_adrift:
            self._try_again()
        return [(segment, segment.used) for segment in self._segments]

    def backlog(self) -> int:
        return sum(segment.used - segment.drained for segment in list(self._segments))

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
            if segment is not self._segment:
                segment.rest()

    def forget(self, marks: Mapping[str, int]) -> None:
        for segment in list(self._segments):
            segment.safe = marks.get(f"{self.name}/{segment.name}", segment.safe)
            if segment is not self._segment and segment.safe == segment.used:
                self._segments.remove(segment)
                segment.close(remove=True)

    def close(self) -> None:
        for segment in self._segments:
            segment.close(remove=True)
        self._segments.clear()
        self.notices = []
        self._let_go_of_head()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def at_risk(self) -> int | None:
        at_risk = sum(each.used - each.safe for each in self._segments if each.is_in_memory) // RECORD_BYTES
        return at_risk if at_risk or (self._segments and not self._head_told) else None

    def leave(self, head: dict[str, Any] | None = None) -> None:
        for segment in self._segments:
            segment.close(remove=False)
        if head is not None and self._head_told and self._head_file is not None:
            with contextlib.suppress(OSError):  # the next opener then has only the initial record
                filesystem.write_all(self._head_file, _line({"format": FORMAT, **head}))
        self._let_go_of_head()

    def _let_go_of_head(self) -> None:
        descriptors = self._calls_file, self._head_file
        self._calls_file = self._head_file = None
        for descriptor in descriptors:
            if descriptor is not None:
                os.close(descriptor)

    @property
    def _is_adrift(self) -> bool:
        """Whether new records are only in memory, because the disk failed."""
        segment = self._segment
        return bool(self._home and segment.size and segment.is_in_memory)

    def _try_again(self) -> None:
        """Try to make a file for the next records: records in memory are lost with the process."""
        self._made += 1
        with contextlib.suppress(OSError, MemoryError):  # noted at the first failure
            segment = self._new_segment(f"{self._made - 1:06}{SEGMENT}", SMALLEST_SEGMENT)
            self.notices = []
            self._segments.append(segment)
            self._segment = segment

    def _next_segment(self, needed: int) -> None:
        name = f"{self._made:06}{SEGMENT}"
        size = max(min(SMALLEST_SEGMENT << min(self._made, 16), LARGEST_SEGMENT), needed)
        self._made += 1
        self._segment.rest()
        try:
            segment = self._new_segment(name, size)
            self.notices = []
        except (OSError, MemoryError) as error:
            segment = _Segment(name, max(SMALLEST_SEGMENT, needed), None)
            self._note(error)
        self._segments.append(segment)
        self._segment = segment

    def _new_segment(self, name: str, size: int) -> _Segment:
        if self._home is None:
            return _Segment(name, size, None)
        folder = self._prepare(self._home)
        if self._mapped:
            try:
                return _Segment(name, size, folder / name)
            except OSError as error:
                if error.errno not in _REFUSED:
                    raise
                self._mapped = False
        return _Segment(name, size, folder / name, mapped=False)

    def _prepare(self, home: Path) -> Path:
        """Make the folder and the head file, unless they exist, and add new metrics to the head file."""
        if self._folder is None:
            folder = home / self.name
            folder.mkdir(parents=True, exist_ok=True)
            self._mapped = filesystem.can_be_mapped(folder)
            self._folder = folder
        if self._head_file is None:  # stored before it is locked, so that an interrupt cannot leave an unknown lock
            self._head_file = filesystem.open_to_hold(self._folder / HEAD)
        if not self._head_told:
            if not filesystem.lock(self._head_file, patience=_PATIENCE):
                raise OSError(f"{self._folder / HEAD} is locked")
            filesystem.write_all(self._head_file, _line(self._head))
            self._head_told = True
        self._tell_metrics()
        return self._folder

    def _tell_metrics(self) -> None:
        """Write the names of new metrics to the head file, if there is one. After a failure the next call tries again."""
        if self._head_file is None or not self._head_told:
            return
        try:
            while self._untold:
                number = self._untold[0]
                filesystem.write_all(self._head_file, _line({"metric": number, "name": self._metrics[number]}))
                if number in self._untold:  # unless a signal handler that logs has removed it
                    self._untold.remove(number)
        except (OSError, MemoryError) as error:
            self._note(error)

    def _note(self, error: OSError | MemoryError) -> None:
        self.notices = [_NO_ROOM.format(home=self._home, error=getattr(error, "strerror", None) or error)]


def _line(content: dict[str, Any]) -> bytes:
    return b"\n" + json.dumps(content).encode() + b"\n"  # a separate line, even after a torn one


def _pack(buffer: Any, start: int, fields: Sequence[Any]) -> None:
    """Pack any number of records, 32 at a time, because `struct` keeps 160 bytes a record for each format that it caches."""
    width = _MOST_AT_A_TIME * len(RECORD)
    for first in range(0, len(fields), width):
        some = fields[first : first + width]
        _PACK[len(some) // len(RECORD)](buffer, start + first // len(RECORD) * RECORD_BYTES, *some)
