"""The exit status of a program that ends by `SystemExit`, which Python code cannot read before the process has ended.

`sys.exit`, argparse, click and Hydra end programs that way. When `atexit` functions run, the exception is gone, and only the
interpreter's C code knows the status. So glibc is asked to write it into a file as the last act of the process, from which the next
process that opens the project reads it. Without glibc the status stays unknown.
"""

from __future__ import annotations

import contextlib
import gc
import json
import opcode
import os
import sys
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

from ..ids import new_id

SUFFIX: Final = ".exit"
_INT_BYTES: Final = 4  # of the status, a C int
_EXITING_SECONDS: Final = 60.0  # after which a process without a status is taken to have been killed


def main_frame() -> FrameType | None:
    """Return the outermost frame of the main thread, which shows even after its end how it ended."""
    if threading.current_thread() is threading.main_thread():
        frame: FrameType | None = sys._getframe()  # noqa: SLF001  # documented
    else:
        with _no_collection():
            frame = sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001  # documented
    while frame is not None and frame.f_back is not None:
        frame = frame.f_back
    return frame


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Collect no garbage meanwhile.

    In Python 3.11 `sys._current_frames` and a collection that meets a `threading.local` wait for each other forever, with the GIL
    (https://github.com/python/cpython/issues/106883).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def returned(frame: FrameType) -> bool:
    """Whether a frame that has ended returned, rather than raised an exception."""
    return frame.f_lasti >= 0 and opcode.opname[frame.f_code.co_code[frame.f_lasti]].startswith("RETURN")


def status_of_child() -> int | None:
    """Return the exit status of a child forked by multiprocessing; None while its exception exists, and in other processes.

    Since Python 3.13 exit functions run in the frame that holds the status, after the exception is gone.
    """
    frame: FrameType | None = sys._getframe()  # noqa: SLF001  # documented
    while frame is not None and frame.f_code.co_name != "_bootstrap":
        if frame.f_globals.get("__name__") in ("multiprocessing.popen_fork", "multiprocessing.forkserver"):
            status = frame.f_locals.get("code")
            if isinstance(status, int):
                return status
        frame = frame.f_back
    return None


def write_at_exit(folder: Path, runs: Collection[str]) -> bool:
    """Arrange for the exit status to be written for these runs when the process ends; return False if that is not possible."""
    import ctypes

    libc: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
    if not hasattr(libc, "on_exit"):  # musl, macOS, Windows
        return False
    path = folder / f"{os.getpid()}-{new_id(6)}{SUFFIX}"
    try:
        path.write_bytes(json.dumps(list(runs)).encode() + b"\n")
    except OSError:
        return False
    libc.fopen.restype = ctypes.c_void_p
    file = libc.fopen(os.fsencode(path), b"ab")
    # `on_exit` calls a C function with the status and a pointer; `putw` writes an int to a FILE*, which exit closes afterwards
    return bool(file) and libc.on_exit(libc.putw, ctypes.c_void_p(file)) == 0


def statuses(folder: Path) -> Iterator[tuple[Path, list[str], int]]:
    """Yield file, runs and status of each exit recorded in `folder`. The caller removes the file.

    Removes files of processes that were killed during their exit.
    """
    paths: list[Path] = []
    with contextlib.suppress(OSError):  # the folder cannot be read
        paths = sorted(folder.glob(f"*{SUFFIX}"))
    for path in paths:
        with contextlib.suppress(OSError, ValueError):  # another process was faster, or the file is damaged
            head, _, status = path.read_bytes().partition(b"\n")
            if len(status) >= _INT_BYTES:
                yield path, list(map(str, json.loads(head))), int.from_bytes(status[:_INT_BYTES], sys.byteorder) & 0xFF
            elif time.time() - path.stat().st_mtime > _EXITING_SECONDS:
                path.unlink()
