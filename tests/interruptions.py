"""Interrupts at any moment of a call."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import trackbook

PACKAGE = str(Path(trackbook.__file__).parent)


def apart(call: Callable[[], object]) -> None:
    """Call with handled exceptions of its own, as a generator has them.

    An interrupt as an ``except`` ends leaves its exception among those of the thread, for the context of all that are raised later.
    """

    def generator() -> Iterator[object]:
        yield call()

    next(generator())


class Interruption:
    """Raises KeyboardInterrupt before the n-th bytecode of our code in a call."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.where = ""
        self.happened = False
        self.is_possible = False  # whether Python looks for signals there
        self._last: dict[FrameType, str] = {}

    def during(self, call: Callable[[], object]) -> None:
        before = sys.gettrace()
        sys._getframe().f_trace_opcodes = True  # Python 3.12 asks for it before `settrace`
        sys.settrace(self._trace)
        try:
            apart(call)
        except KeyboardInterrupt:
            assert self.happened
        finally:
            sys.settrace(before)
            self._last.clear()  # frames keep what they hold alive

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if self.happened or not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self._step(frame)
        return self._trace

    def _step(self, frame: FrameType) -> None:
        self.left -= 1
        if self.left < 0:
            before = self._last.get(frame, "RESUME")
            self.is_possible = before.startswith(("CALL", "JUMP_BACKWARD", "RESUME"))
            self.happened = True
            self.where = f"{frame.f_code.co_qualname}:{frame.f_lineno} {dis.opname[frame.f_code.co_code[frame.f_lasti]]} after {before}"
            raise KeyboardInterrupt
        self._last[frame] = dis.opname[frame.f_code.co_code[frame.f_lasti]]
