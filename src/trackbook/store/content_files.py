"""Files of a project, named by their content: the same content is one file, whoever and how often it is added.

The folder lies beside the project's file. A file ``ab34….png`` is at ``ab/ab34….png``: the SHA-256 of its content, and a suffix.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import re
import secrets
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from .. import filesystem

SPARED_SECONDS: Final = 600.0  # a file may be added before the row that names it is written: so long it is not removed
_NAME: Final = re.compile(r"([0-9a-f]{64})(\.[a-z0-9]{1,16})?")
_SUFFIX: Final = re.compile(r"\.[a-z0-9]{1,16}")
_LOCK: Final = ".lock"
_PATIENCE: Final = 10.0  # seconds
_BLOCK: Final = 1 << 20


class StoredFile(NamedTuple):
    """A file of the store."""

    name: str  # by which the store finds it
    size: int  # bytes


class ContentFiles:
    """The files in one folder. Any number of processes add to it at once; a reader never finds a part of a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(
        self, data: bytes | memoryview, suffix: str = "", *, digest: str | None = None, durable: bool = False
    ) -> StoredFile:
        """Add `data`. It is there for every process when this returns, and with `durable` also after a power failure.

        `digest` is that of `data`, if it is known. A `suffix` of other than letters and digits is left out. Raises ``OSError`` when the
        disk refuses it.
        """
        name = (digest or hashlib.sha256(data).hexdigest()) + _plain(suffix)
        size = memoryview(data).nbytes
        if not self._touch(name, size):
            with self._temporary() as temporary:
                with self._writing(temporary, durable=durable) as descriptor:
                    filesystem.write_all(descriptor, data)
                self._settle(temporary, name)
        return StoredFile(name, size)

    def add(self, source: Path, suffix: str = "", *, durable: bool = False) -> StoredFile:
        """Add the content of a file, as `put` adds data, in constant memory. A file that is being written is taken as it is read."""
        with source.open("rb") as opened:
            digest, size = hashlib.sha256(), 0
            for block in _blocks(opened):
                digest.update(block)
                size += len(block)
            name = digest.hexdigest() + _plain(suffix)
            if self._touch(name, size):
                return StoredFile(name, size)
            opened.seek(0)
            copied, size = hashlib.sha256(), 0
            with self._temporary() as temporary:
                with self._writing(temporary, durable=durable) as descriptor:
                    for block in _blocks(opened):
                        copied.update(block)
                        size += len(block)
                        filesystem.write_all(descriptor, block)
                name = copied.hexdigest() + _plain(suffix)
                self._settle(temporary, name)
            return StoredFile(name, size)

    def path(self, name: str) -> Path:
        """Return where a file is, or would be. Raises ``ValueError`` for what is no name of a file of the store."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:80]!r} does not name a file of a project")
        return self.folder / name[:2] / name

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        return self.path(name).is_file()

    def read(self, name: str, first: int = 0, count: int = -1) -> bytes:
        """Return `count` bytes of a file from byte `first` on, by default all. Raises ``FileNotFoundError``."""
        with self.path(name).open("rb") as opened:
            opened.seek(first)
            return opened.read(count)

    def read_whole(self, name: str) -> bytes:
        """Return a file. Raises ``OSError`` when what is read is not what its name says."""
        content = self.read(name)
        if hashlib.sha256(content).hexdigest() != name[:64]:
            raise OSError(f"{self.path(name)} is damaged: its content is not what its name says")
        return content

    def is_whole(self, name: str) -> bool:
        """Whether a file is there with the content that its name says. Reads all of it."""
        try:
            with self.path(name).open("rb") as opened:
                return hashlib.file_digest(opened, "sha256").hexdigest() == name[:64]
        except FileNotFoundError:
            return False

    def remove_unused(self, names: Iterable[str], used: Collection[str], *, spare: float = SPARED_SECONDS) -> int:
        """Remove those of `names` that are not in `used`, and return how many.

        A file that was added or added again within `spare` seconds stays: its row may not be written yet.
        """
        removed = 0
        for name in {*names}.difference(used):
            path = self.path(name)
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime >= spare:
                    path.unlink()
                    removed += 1
        self._remove_remains()
        return removed

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep other processes from removing files that are found or written in the context, until it has recorded them."""
        with self._locked(shared=True):
            yield

    @contextlib.contextmanager
    def sweeping(self) -> Iterator[bool]:
        """Keep all others from recording files. False when that cannot be had; then nothing may be removed."""
        with self._locked(shared=False) as held:
            yield held

    @contextlib.contextmanager
    def _locked(self, *, shared: bool) -> Iterator[bool]:
        descriptor, held = None, False
        try:
            with contextlib.suppress(OSError, MemoryError):  # a full disk, or a file system without locks
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

    def _touch(self, name: str, size: int) -> bool:
        """Return whether the file is there, of this size, and note that it is wanted again."""
        path = self.path(name)
        try:
            if path.stat().st_size != size:  # cut short by a power failure
                return False
            with contextlib.suppress(PermissionError):  # another user's file
                os.utime(path)
        except FileNotFoundError:
            return False
        return True

    @contextlib.contextmanager
    def _temporary(self) -> Iterator[Path]:
        """Give the path of a new file, which is removed after an error."""
        path = self.folder / f".new-{secrets.token_hex(8)}"
        try:
            yield path
        except BaseException:
            with contextlib.suppress(OSError, MemoryError):
                path.unlink(missing_ok=True)
            raise

    @contextlib.contextmanager
    def _writing(self, path: Path, *, durable: bool) -> Iterator[int]:
        """Give the descriptor of a new file."""
        with self._create(path) as opened:
            yield opened.fileno()
            if durable:
                os.fsync(opened.fileno())

    def _create(self, path: Path) -> io.FileIO:
        """Make a file. It is an object, because an interrupt between opening a descriptor and noting it would leave that open."""
        opener = functools.partial(os.open, mode=0o666)
        try:
            return io.FileIO(path, "xb", opener=opener)
        except FileNotFoundError:  # the first file of all
            self.folder.mkdir(parents=True, exist_ok=True)
            return io.FileIO(path, "xb", opener=opener)

    def _settle(self, temporary: Path, name: str) -> None:
        path = self.path(name)
        try:
            try:
                temporary.replace(path)
            except FileNotFoundError:  # the first file of this folder
                path.parent.mkdir(exist_ok=True)
                temporary.replace(path)
        except OSError:
            if not path.is_file():  # else another process added the same, and Windows does not replace an open file
                raise
            temporary.unlink(missing_ok=True)

    def _remove_remains(self) -> None:
        """Remove what killed processes left half written."""
        for path in self.folder.glob(".new-*"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime >= SPARED_SECONDS:
                    path.unlink()


def _plain(suffix: str) -> str:
    suffix = suffix.lower()
    return suffix if _SUFFIX.fullmatch(suffix) else ""


def _blocks(opened: BinaryIO) -> Iterator[bytes]:
    while block := opened.read(_BLOCK):
        yield block
