"""Doubles of the file system and of SQLite that fail at the n-th call.

`FaultyFiles` stands between Python and the files below a folder, `FaultyStore` between a store and SQLite. Both count their calls,
so that a test can first find out how many there are, and then fail each of them once.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

KINDS: Final = ("EIO", "ENOSPC", "EACCES", "ESTALE", "MemoryError", "busy", "short read", "flipped byte")
_PATHS: Final = ("open", "mkdir", "unlink", "rename", "replace", "stat", "scandir", "listdir", "rmdir")
_DESCRIPTORS: Final = ("write", "pwrite", "fstat", "posix_fallocate")


def failure(kind: str) -> BaseException:
    """Return an error of the file system."""
    if kind == "MemoryError":
        return MemoryError("no memory")
    number = {"busy": errno.EBUSY}.get(kind) or getattr(errno, kind)
    return OSError(number, os.strerror(number))


def sqlite_failure(kind: str) -> BaseException:
    """Return SQLite's error for it."""
    known = {
        "EIO": (sqlite3.OperationalError, "disk I/O error", sqlite3.SQLITE_IOERR),
        "ENOSPC": (sqlite3.OperationalError, "database or disk is full", sqlite3.SQLITE_FULL),
        "EACCES": (sqlite3.OperationalError, "attempt to write a readonly database", sqlite3.SQLITE_READONLY),
        "ESTALE": (sqlite3.OperationalError, "unable to open database file", sqlite3.SQLITE_CANTOPEN),
        "busy": (sqlite3.OperationalError, "database is locked", sqlite3.SQLITE_BUSY),
        "short read": (sqlite3.DatabaseError, "database disk image is malformed", sqlite3.SQLITE_CORRUPT),
    }
    if kind == "MemoryError":
        return MemoryError("no memory")
    error_class, said, code = known[kind]
    error = error_class(said)
    error.sqlite_errorcode = code
    return error


class Fault:
    """The one fault of a test: at the `at`-th call, of some `kind`. At none it only counts."""

    def __init__(self, at: int = 0, kind: str = "EIO") -> None:
        self.at, self.kind = at, kind
        self.calls = 0
        self.where = ""  # what failed
        self.names: list[str] = []
        self._is_off = True

    def hits(self, name: str) -> bool:
        """Count a call; whether it is the one to fail."""
        if self._is_off:
            return False
        self.calls += 1
        self.names.append(name)
        if self.calls == self.at:
            self.where = name
        return self.calls == self.at

    @contextmanager
    def on(self) -> Iterator[None]:
        self._is_off = False
        try:
            yield
        finally:
            self._is_off = True


def flipped(data: bytes) -> bytes:
    """Return data with one bit of the middle byte flipped."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :] if data else data


class FaultyFiles:
    """The files below `root` fail as `fault` says. Reads of whole files may also be short, or have a byte flipped."""

    def __init__(self, root: Path, fault: Fault, patch: pytest.MonkeyPatch) -> None:
        self._root, self._fault = str(root), fault
        for name in _PATHS:
            patch.setattr(os, name, self._failing(f"os.{name}", getattr(os, name), self._is_below))
        for name in _DESCRIPTORS:
            patch.setattr(os, name, self._failing(f"os.{name}", getattr(os, name), self._is_open_below))
        patch.setattr(shutil, "rmtree", self._failing("shutil.rmtree", shutil.rmtree, self._is_below))
        patch.setattr(np, "fromfile", self._reading("numpy.fromfile", np.fromfile))
        opened = self._opening(io.open)
        patch.setattr(io, "open", opened)
        patch.setattr(builtins, "open", opened)
        if hasattr(os, "fork"):
            import fcntl

            patch.setattr(fcntl, "flock", self._failing("flock", fcntl.flock, self._is_open_below))

    def _is_below(self, path: Any) -> bool:
        return isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith(self._root)

    def _is_open_below(self, descriptor: int) -> bool:
        try:
            return str(Path(f"/proc/self/fd/{descriptor}").readlink()).startswith(self._root)
        except OSError:
            return False

    def _failing(self, name: str, plain: Callable[..., Any], concerns: Callable[[Any], bool]) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            if given and concerns(given[0]) and self._fault.hits(name):
                if self._fault.kind not in ("short read", "flipped byte"):
                    raise failure(self._fault.kind)
                if name in ("os.write", "os.pwrite"):  # the kernel takes less than it was given
                    given = (given[0], given[1][: max(1, len(given[1]) // 2)], *given[2:])
            return plain(*given, **more)

        return call

    def _reading(self, name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *given: Any, **more: Any) -> Any:
            if not (self._is_below(path) and self._fault.hits(name)):
                return plain(path, *given, **more)
            if self._fault.kind not in ("short read", "flipped byte"):
                raise failure(self._fault.kind)
            found = plain(path, *given, **more)
            if self._fault.kind == "short read":
                return found[: len(found) // 2]
            return np.frombuffer(flipped(found.tobytes()), found.dtype).copy()

        return call

    def _opening(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, mode: str = "r", *given: Any, **more: Any) -> Any:
            if not (self._is_below(path) and self._fault.hits("open")):
                return plain(path, mode, *given, **more)
            if self._fault.kind not in ("short read", "flipped byte"):
                raise failure(self._fault.kind)
            if "r" not in mode or "+" in mode:
                return plain(path, mode, *given, **more)
            with plain(path, "rb") as file:
                data = file.read()
            changed = flipped(data) if self._fault.kind == "flipped byte" else data[: len(data) // 2]
            return io.BytesIO(changed) if "b" in mode else io.StringIO(changed.decode(errors="replace"))

        return call


class FaultyStore:
    """Every statement of every connection to SQLite fails as `fault` says; a flipped byte is one of a blob that is read."""

    def __init__(self, fault: Fault, patch: pytest.MonkeyPatch) -> None:
        plain = sqlite3.connect

        class Connection(sqlite3.Connection):
            def execute(self, *given: Any) -> Any:
                return _execute(fault, super().execute, *given)

            def executemany(self, *given: Any) -> Any:
                return _execute(fault, super().executemany, *given)

        def connect(*given: Any, **more: Any) -> Any:
            if fault.hits("sqlite connect") and fault.kind != "flipped byte":
                raise sqlite_failure(fault.kind)
            return plain(*given, **more, factory=Connection)

        patch.setattr(sqlite3, "connect", connect)


def _execute(fault: Fault, plain: Callable[..., Any], statement: str, *given: Any) -> Any:
    if not fault.hits(f"sqlite {' '.join(statement.split())[:40]}"):
        return plain(statement, *given)
    if fault.kind != "flipped byte":
        raise sqlite_failure(fault.kind)
    return _Flipping(plain(statement, *given))


class _Flipping:
    """A cursor whose blobs have a flipped bit."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    def fetchone(self) -> Any:
        row = self._cursor.fetchone()
        return row and _flip(row)

    def fetchall(self) -> list[Any]:
        return [_flip(row) for row in self._cursor.fetchall()]

    def __iter__(self) -> Iterator[Any]:
        return map(_flip, self._cursor)


def _flip(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(flipped(value) if isinstance(value, bytes) else value for value in row)
