"""What file systems do differently: locks that die with their process, and folders that must not be mapped."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_NETWORK = frozenset(
    "nfs nfs4 cifs smb smb2 smb3 smbfs lustre gpfs beegfs ceph glusterfs fuse.glusterfs fuse.sshfs afs 9p panfs orangefs".split()
)


def hold(path: Path, *, create: bool = False) -> int | None:
    """The descriptor of a file locked for as long as this process lives, or None when another process holds it.

    The lock goes with the descriptor, so a forked child must close what it inherited. Raises ``OSError``.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | (os.O_CREAT if create else 0), 0o644)
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, 1 << 40, os.SEEK_SET)  # far beyond the text, so that others may read it
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink:  # else its last holder has removed it meanwhile
            return descriptor
    except (BlockingIOError, PermissionError):
        pass
    os.close(descriptor)
    return None


def allocate(path: Path, size: int) -> int:
    """The descriptor of a new file whose bytes are all really there, zero. Raises ``OSError`` when they find no room."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            os.write(descriptor, bytes(size))
    except BaseException:
        os.close(descriptor)
        path.unlink()
        raise
    return descriptor


def is_network(path: Path) -> bool:
    """Whether `path` is on a network file system, as Linux tells; elsewhere False."""
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    where, kind = "", ""
    for mount in mounts:
        _, point, found, *_ = mount.split(" ")
        point = point.encode().decode("unicode_escape")
        if len(point) >= len(where) and (path.resolve() / "x").is_relative_to(point):
            where, kind = point, found
    return kind in _NETWORK
