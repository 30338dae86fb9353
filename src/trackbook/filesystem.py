"""What file systems do differently: locks that die with their process, and folders that must not be mapped."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from typing import Any

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_NETWORK = frozenset(
    "nfs nfs4 cifs smb smb2 smb3 smbfs lustre gpfs beegfs ceph glusterfs fuse.glusterfs fuse.sshfs afs 9p panfs orangefs".split()
)


_BINARY = getattr(os, "O_BINARY", 0)  # Windows would write \r\n


def hold(path: Path, *, create: bool = False) -> int | None:
    """The descriptor of a file locked for as long as this process lives, or None when another process holds it.

    The lock goes with the descriptor, so a forked child must close what it inherited. Raises ``OSError``.
    """
    descriptor = open_to_hold(path, create=create)
    try:
        if lock(descriptor) and os.fstat(descriptor).st_nlink:  # else its last holder has removed it meanwhile
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def open_to_hold(path: Path, *, create: bool = True) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | _BINARY | (os.O_CREAT if create else 0), 0o644)


def lock(descriptor: int, *, patience: float = 0.0) -> bool:
    """Locks an open file; False when others hold it for `patience` seconds: one that looks whether we live, lets go at once."""
    until = time.monotonic() + patience
    while not _try_to_lock(descriptor):
        if time.monotonic() >= until:
            return False
        time.sleep(0.001)
    return True


def _try_to_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, 1 << 40, os.SEEK_SET)  # far beyond the text, so that others may read it
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def allocate(path: Path, size: int) -> int:
    """The descriptor of a new file whose bytes are all really there, zero. Raises ``OSError`` when they find no room."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o644)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            write_all(descriptor, bytes(size))
    except BaseException:
        os.close(descriptor)
        path.unlink()
        raise
    return descriptor


def write_all(descriptor: int, data: Any) -> None:
    """A write that the kernel may split, which `os.write` does not hide."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def open_to_write(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | _BINARY, 0o644)


def write_at(descriptor: int, data: Any, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = _write_some_at(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _write_some_at(descriptor: int, view: memoryview, offset: int) -> int:
    if hasattr(os, "pwrite"):
        written: int = os.pwrite(descriptor, view, offset)
        return written
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.write(descriptor, view)


def is_network(path: Path) -> bool:
    """Whether `path` is on a network file system, as Linux tells; elsewhere False."""
    try:
        mounts = Path("/proc/self/mounts").read_bytes().splitlines()
    except OSError:
        return False
    where, kind = "", ""
    for mount in mounts:
        _, point, found, *_ = map(os.fsdecode, mount.split(b" "))
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point)
        if len(point) >= len(where) and (path.resolve() / "x").is_relative_to(point):
            where, kind = point, found
    return kind in _NETWORK
