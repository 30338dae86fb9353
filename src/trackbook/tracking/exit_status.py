"""The exit status of a program that ends by `SystemExit`, which Python tells nobody before the process is over.

`sys.exit`, argparse, click and Hydra end a program so. When `atexit` runs, the exception is gone and the status is known to the
interpreter's C code only. So glibc is asked to write it into a file as the last thing that the process does, and whoever opens the
project next reads it there. Elsewhere the status stays unknown.
"""

from __future__ import annotations

import contextlib
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
_EXITING_SECONDS: Final = 60.0  # after this, a process that wrote no status was killed


def main_frame() -> FrameType | None:
    """Return the outermost frame of the main thread, which still tells after its end how it ended."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001  # documented
    while frame is not None and frame.f_back is not None:
        frame = frame.f_back
    return frame


def returned(frame: FrameType) -> bool:
    """Whether a frame that is over reached its end, so that no exception left it."""
    return frame.f_lasti >= 0 and opcode.opname[frame.f_code.co_code[frame.f_lasti]].startswith("RETURN")


def status_of_child() -> int | None:
    """Return the exit status of a child that multiprocessing forked, None where its exception is still there or this is no such child.

    From Python 3.13 on, exit functions run in the frame that holds the status, when the exception is gone.
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
    """Have the exit status written for these runs when the process is over; False where that cannot be done."""
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
    # `on_exit` calls a C function with the status and a pointer; `putw` writes an int to a FILE*, which is closed after it
    return bool(file) and libc.on_exit(libc.putw, ctypes.c_void_p(file)) == 0


def statuses(folder: Path) -> Iterator[tuple[Path, list[str], int]]:
    """Yield what processes wrote at their exit into `folder`: the file, for whoever has used it to remove, runs and status.

    Removes files of processes that were killed on their way out.
    """
    paths: list[Path] = []
    with contextlib.suppress(OSError):  # a folder that cannot be looked into
        paths = sorted(folder.glob(f"*{SUFFIX}"))
    for path in paths:
        with contextlib.suppress(OSError, ValueError):  # another opener was faster, or the file is damaged
            head, _, status = path.read_bytes().partition(b"\n")
            if len(status) >= _INT_BYTES:
                yield path, list(map(str, json.loads(head))), int.from_bytes(status[:_INT_BYTES], sys.byteorder) & 0xFF
            elif time.time() - path.stat().st_mtime > _EXITING_SECONDS:
                path.unlink()
