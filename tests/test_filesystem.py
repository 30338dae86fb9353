from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trackbook import filesystem

TIMEOUT = 60


def test_a_file_is_held_once(tmp_path: Path) -> None:
    held = filesystem.hold(tmp_path / "x", create=True)
    assert held is not None
    assert filesystem.hold(tmp_path / "x") is None
    os.close(held)
    again = filesystem.hold(tmp_path / "x")
    assert again is not None
    os.close(again)


def test_a_file_that_another_process_holds_is_free_when_it_dies(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from trackbook import filesystem\n"
        "filesystem.hold(Path(sys.argv[1]), create=True); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "x")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert filesystem.hold(tmp_path / "x") is None
        other.kill()
        other.wait(TIMEOUT)
    held = filesystem.hold(tmp_path / "x")
    assert held is not None
    os.close(held)


def test_locked_file_can_be_read_by_others(tmp_path: Path) -> None:
    held = filesystem.hold(tmp_path / "x", create=True)
    assert held is not None
    filesystem.write_all(held, b"hello")
    assert (tmp_path / "x").read_bytes() == b"hello"
    os.close(held)


def test_a_file_that_was_removed_before_it_was_locked_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").touch()
    lock = filesystem.lock

    def lock_late(descriptor: int) -> bool:
        (tmp_path / "x").unlink()
        return lock(descriptor)

    monkeypatch.setattr(filesystem, "lock", lock_late)
    assert filesystem.hold(tmp_path / "x") is None


def test_waiting_process_gets_a_released_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = filesystem.hold(tmp_path / "x", create=True)
    assert held is not None
    monkeypatch.setattr(filesystem.time, "sleep", lambda _: os.close(held))
    mine = filesystem.open_to_hold(tmp_path / "x")
    assert filesystem.lock(mine, patience=60.0)
    os.close(mine)


def test_a_file_that_does_not_exist_is_not_made_to_be_held(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        filesystem.hold(tmp_path / "x")


def test_allocated_file_is_all_zeros(tmp_path: Path) -> None:
    os.close(filesystem.allocate(tmp_path / "x", 100_000))
    assert (tmp_path / "x").read_bytes() == bytes(100_000)
    if hasattr(os.stat_result, "st_blocks"):
        assert (tmp_path / "x").stat().st_blocks * 512 >= 100_000


def test_without_fallocate_zeros_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    os.close(filesystem.allocate(tmp_path / "x", 100_000))
    assert (tmp_path / "x").read_bytes() == bytes(100_000)


def test_failed_allocation_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    with pytest.raises(OSError, match="No space left"):
        filesystem.allocate(tmp_path / "x", 100)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("at_once", [1, 7, 100])
@pytest.mark.parametrize("system", ["with pwrite", "without pwrite"])
def test_partial_write_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, at_once: int) -> None:
    write, pwrite = os.write, getattr(os, "pwrite", None)
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:at_once]))
    if system == "without pwrite":
        monkeypatch.delattr(os, "pwrite", raising=False)
    elif pwrite is None:
        pytest.skip("Windows has no pwrite")
    else:
        monkeypatch.setattr(os, "pwrite", lambda file, data, offset: pwrite(file, data[:at_once], offset))
    descriptor = filesystem.open_to_write(tmp_path / "x")
    filesystem.write_all(descriptor, b"0123456789")
    filesystem.write_at(descriptor, b"abcdefgh", 5)
    os.close(descriptor)
    assert (tmp_path / "x").read_bytes() == b"01234abcdefgh"


MOUNTS = rb"""overlay / overlay rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb /home/local ext4 rw 0 0
lustre@tcp:/x /mnt/a\040b\134c lustre rw 0 0
server:/x /mnt/d""" + "é nfs rw 0 0\n".encode()


@pytest.mark.parametrize(
    ("path", "network"),
    [
        ("/tmp/x", False),
        ("/home", True),
        ("/home/me/x", True),
        ("/home/local/x", False),
        ("/homes/x", False),
        ("/mnt/a b\\c/x", True),
        ("/mnt/dé/x", True),
        ("/mnt/a", False),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="mounts are Linux's")
def test_a_network_file_system_is_known_by_the_longest_mount(
    monkeypatch: pytest.MonkeyPatch, path: str, network: bool
) -> None:
    monkeypatch.setattr(filesystem.Path, "read_bytes", lambda _: MOUNTS)
    assert filesystem.is_network(Path(path)) is network


@pytest.mark.parametrize(
    ("kind", "mapped", "locks"),
    [
        ("ext4", True, True),
        ("xfs", True, True),
        ("tmpfs", True, True),
        ("btrfs", False, True),
        ("zfs", False, True),
        ("bcachefs", False, True),
        ("nfs4", False, False),
        ("virtiofs", False, False),
        ("fuse.gcsfuse", False, False),
        ("fuseblk", False, False),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="mounts are Linux's")
def test_file_system_tells_whether_files_are_mapped_and_locks_are_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, mapped: bool, locks: bool
) -> None:
    monkeypatch.setattr(filesystem.Path, "read_bytes", lambda _: b"disk / " + kind.encode() + b" rw 0 0")
    assert filesystem.can_be_mapped(tmp_path) is mapped
    assert filesystem.shares_locks(tmp_path) is locks


@pytest.mark.parametrize("clones", [True, False])
@pytest.mark.skipif(sys.platform == "win32", reason="mounts are Linux's")
def test_overlay_is_not_mapped_where_the_disk_beneath_shares_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clones: bool
) -> None:
    import fcntl

    def clone(*_: object) -> int:
        if clones:
            return 0
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(fcntl, "ioctl", clone)
    monkeypatch.setattr(filesystem.Path, "read_bytes", lambda _: b"overlay / overlay rw 0 0")
    assert filesystem.can_be_mapped(tmp_path) is not clones
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks otherwise")
def test_lock_of_a_file_that_may_only_be_read_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = filesystem.hold(tmp_path / "x", create=True)
    assert held is not None
    whole = os.open

    def to_read_only(path: Path, flags: int, *mode: int) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied")
        return whole(path, flags, *mode)

    monkeypatch.setattr(os, "open", to_read_only)
    assert filesystem.hold(tmp_path / "x") is None
    os.close(held)
    again = filesystem.hold(tmp_path / "x")
    assert again is not None
    os.close(again)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_files_get_the_users_umask(tmp_path: Path) -> None:
    before = os.umask(0o002)
    try:
        os.close(filesystem.open_to_hold(tmp_path / "head"))
        os.close(filesystem.allocate(tmp_path / "segment", 10))
        os.close(filesystem.open_to_write(tmp_path / "written"))
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o664}


@pytest.mark.parametrize(
    ("error", "missing"),
    [(errno.ENOENT, True), (errno.ENOTDIR, True), (errno.EACCES, False), (errno.EIO, False), (errno.ESTALE, False)],
)
def test_unreadable_path_is_not_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, missing: bool
) -> None:
    def fail(_: Path) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(Path, "lstat", fail)
    assert filesystem.is_missing(tmp_path) is missing


def test_without_mounts_no_file_system_is_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: Path) -> bytes:
        raise FileNotFoundError

    monkeypatch.setattr(filesystem.Path, "read_bytes", missing)
    assert not filesystem.is_network(tmp_path)


def test_on_windows_a_byte_beyond_the_text_is_locked(tmp_path: Path) -> None:
    program = """
import importlib.util, os, shutil, sys, types
from pathlib import Path
sys.platform = "win32"
locked = []
def locking(descriptor, mode, count):
    if locked:
        raise PermissionError(13, "locked")
    locked.append((os.lseek(descriptor, 0, os.SEEK_CUR), mode, count))
sys.modules["msvcrt"] = types.SimpleNamespace(LK_NBLCK=2, locking=locking)
spec = importlib.util.spec_from_file_location("files", sys.argv[1])
files = importlib.util.module_from_spec(spec)
spec.loader.exec_module(files)
path = Path(sys.argv[2])
assert files.hold(path, create=True) is not None
assert files.hold(path) is None
assert locked == [(1 << 40, 2, 1)], locked
assert "fcntl" not in vars(files)
"""

    subprocess.run(
        [sys.executable, "-c", program, filesystem.__file__, str(tmp_path / "x")], check=True, timeout=TIMEOUT
    )
