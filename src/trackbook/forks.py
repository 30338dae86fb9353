"""Which process this is: the one that imported trackbook, a fork of it, or a child of multiprocessing."""

from __future__ import annotations

import os
import sys
from typing import Final

_IMPORTED_IN: Final = os.getpid()


def is_fork() -> bool:
    """Whether this process was forked after trackbook was imported."""
    return os.getpid() != _IMPORTED_IN


def is_forked_by_multiprocessing() -> bool:
    """Whether multiprocessing forked this process, before or after trackbook was imported."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and type(process.current_process()).__name__ == "ForkProcess"


def is_of_multiprocessing() -> bool:
    """Whether this process is a child of multiprocessing, forked or spawned."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None
