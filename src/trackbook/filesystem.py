"""Locks that end with their process, allocation and replacement of files, and properties of file systems."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_NETWORK = frozenset(
    "nfs nfs4 cifs smb smb2 smb3 smbfs lustre gpfs beegfs ceph glusterfs fuse.glusterfs fuse.sshfs afs 9p panfs orangefs "
    "virtiofs fakeowner".split()
)
# These allocate a new block when a page is written again, even after `posix_fallocate`, so a full disk kills a process that maps a file.
_COPY_ON_WRITE = frozenset("btrfs zfs bcachefs f2fs nilfs2".split())
_STACKED = frozenset(("overlay", "aufs", "ecryptfs", "fuse-overlayfs", "fuse.fuse-overlayfs"))
_FICLONE = 0x40049409  # shares blocks between two files; all current copy-on-write file systems support it

HOLDS_OPEN_FILES = os.name == "nt"  # an open file can be neither moved nor removed

_BINARY = getattr(os, "O_BINARY", 0)  # without it Windows writes \r\n


def hold(path: Path, *, create: bool = False) -> int | None:
    """Lock a file for the life of this process; return its descriptor, or None when another process holds the lock.

    The lock belongs to the descriptor, so a forked child must close its copy. Raises ``OSError``.
    """
    descriptor = open_to_hold(path, create=create)
    try:
        if lock(descriptor) and os.fstat(descriptor).st_nlink:  # 0 links: the last holder has just removed it
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def open_to_hold(path: Path, *, create: bool = True) -> int:
    """Open a file to lock it. Another user's file is opened for reading, which is enough for a lock."""
    try:
        return os.open(path, os.O_RDWR | os.O_APPEND | _BINARY | (os.O_CREAT if create else 0), 0o666)
    except PermissionError:
        if create:
            raise
        return os.open(path, os.O_RDONLY | _BINARY)


def lock(descriptor: int, *, patience: float = 0.0, shared: bool = False) -> bool:
    """Lock an open file, and return False when others hold the lock for `patience` seconds. A probing process holds it briefly.

    Any number may hold a `shared` lock at a time; on Windows one after the other.
    """
    until = time.monotonic() + patience
    while not _try_to_lock(descriptor, shared=shared):
        if time.monotonic() >= until:
            return False
        time.sleep(0.001)
    return True


def _try_to_lock(descriptor: int, *, shared: bool) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, 1 << 40, os.SEEK_SET)  # far beyond the end, so that others can read the text
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def allocate(path: Path, size: int) -> int:
    """Make a file of zeros with all blocks allocated, and return its descriptor. Raises ``OSError`` when the disk is full."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
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
    """Write all of `data`. The kernel may write a part, which `os.write` does not complete."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def open_to_write(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | _BINARY, 0o666)


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


def is_missing(path: Path) -> bool:
    """Whether nothing is at `path`. False when the folder cannot be read, such as another user's: something may be there."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def is_network(path: Path) -> bool:
    """Whether `path` is on a network file system, according to Linux; False on other systems."""
    return _kind(path) in _NETWORK


def shares_locks(path: Path) -> bool:
    """Whether all processes that can open a file in `path` also see its locks, as on a local disk."""
    return not is_network(path) and not _kind(path).startswith("fuse")


def can_be_mapped(path: Path) -> bool:
    """Whether files in the folder `path` may be mapped for writing: allocated blocks there can be overwritten without new ones."""
    kind = _kind(path)
    if is_network(path) or kind in _COPY_ON_WRITE or kind.startswith("fuse"):
        return False
    return kind not in _STACKED or not _shares_blocks(path)


def _kind(path: Path) -> str:
    """Return the type of the file system at `path`, as Linux names it; empty when it is unknown."""
    try:
        mounts = Path("/proc/self/mounts").read_bytes().splitlines()
    except OSError:
        return ""
    where, kind = "", ""
    inside = Path(os.path.realpath(path)) / "x"
    for mount in mounts:
        _, point, found, *_ = map(os.fsdecode, mount.split(b" "))
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point)
        if len(point) >= len(where) and inside.is_relative_to(point):
            where, kind = point, found
    return kind


if sys.platform == "win32":

    def _shares_blocks(folder: Path) -> bool:  # noqa: ARG001
        return False

else:

    def _shares_blocks(folder: Path) -> bool:
        """Whether the disk below a stacked file system, whose type Linux does not tell, is copy-on-write."""
        import tempfile

        with tempfile.TemporaryFile(dir=folder) as one, tempfile.TemporaryFile(dir=folder) as other:
            one.write(bytes(4096))
            one.flush()
            try:
                fcntl.ioctl(other.fileno(), _FICLONE, one.fileno())
            except OSError:
                return False
        return True


@contextlib.contextmanager
def replacing(target: Path, beside: Path) -> Iterator[Path]:
    """Return a path beside `beside` for a new file or folder, which then replaces `target`; after an error remove it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside.parent / f".trackbook-{secrets.token_hex(8)}"
    former = temporary.with_suffix(".former")
    try:
        yield temporary
        if target.is_dir():  # a folder that is not empty cannot be replaced in one step
            target.replace(former)
        try:
            temporary.replace(target)
        except OSError:
            if former.exists():
                former.replace(target)
            raise
    except OSError as error:
        said = str(error)
        if str(temporary) not in said:
            raise
        if error.strerror is not None:
            raise OSError(error.errno, error.strerror, str(target)) from error
        raise OSError(said.replace(str(temporary), str(target))) from error  # of Polars
    finally:
        for left in (temporary, former):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
