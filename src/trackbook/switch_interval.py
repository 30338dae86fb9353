"""The interpreter's switch interval, shortened while many short waits for the GIL would add up."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

QUICK: Final = 0.0005  # seconds; a computing cell does not notice
QUICKEST: Final = 0.0001  # for work that a user waits for

_SAME: Final = 1e-6  # seconds: the interpreter counts microseconds


class Switching:
    """Sets the switch interval to the shortest one requested now, and restores it.

    While a cell computes, each request for the GIL waits for this interval, usually 5 ms. Reading or handing over many points
    makes a hundred such requests, publishing to a board ten, and its snapshot three hundred: 1.5 s, in which the board stood still.
    Where the cell gives up the GIL for a moment more often than that, as a print does, each request begins its wait anew, for ever.

    An interval that somebody else sets meanwhile is kept.
    """

    def __init__(self) -> None:
        self._usual = self._set_to = 0.0
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.RLock()
        self._wanted: list[float] = []

    @contextmanager
    def every(self, seconds: float) -> Iterator[None]:
        with self._lock:
            self._note_usual()
            self._wanted.append(seconds)
            self._set()
        try:
            yield
        finally:
            with self._lock:
                self._note_usual()
                with contextlib.suppress(ValueError):  # the process was forked meanwhile
                    self._wanted.remove(seconds)
                self._set()

    def restore_in_child(self) -> None:
        """Forget requests of threads that a forked child does not have."""
        if any(abs(sys.getswitchinterval() - each) < _SAME for each in self._wanted):
            sys.setswitchinterval(self._usual)
        self._reset()

    def _note_usual(self) -> None:
        now = sys.getswitchinterval()
        if not self._wanted or now != self._set_to:
            self._usual = now

    def _set(self) -> None:
        sys.setswitchinterval(min([self._usual, *self._wanted]))
        self._set_to = sys.getswitchinterval()


switching: Final = Switching()  # one instance, because the interpreter has one interval
