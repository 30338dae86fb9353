"""Ctrl-C at a chosen step of the interpreter."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from types import FrameType
from typing import Any

from interruptions import apart


def interrupted_at(count: int, work: Callable[[], object], files: Collection[str]) -> bool:
    """Do some work with a KeyboardInterrupt at one bytecode instruction of `files`, counted from 1; return whether it came that far."""
    left = count

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # Python 3.12 asks for it before `settrace`
    sys.settrace(trace)
    try:
        apart(work)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return left <= 0
