"""How often the interpreter changes threads: more often, where many short waits for its lock would add up."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

QUICK: Final = 0.0005  # seconds: as often as a computing cell does not feel
QUICKEST: Final = 0.0001  # for what somebody waits for


class Switching:
    """The interpreter's switch interval: the shortest that is wanted now, or what it was before.

    While a cell computes, whoever asks for the interpreter's lock waits for this interval, usually 5 ms; reading or handing over
    many points asks for it a hundred times, and what a board is told ten times.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._wanted: list[float] = []
        self._usual = 0.0

    @contextmanager
    def every(self, seconds: float) -> Iterator[None]:
        with self._lock:
            if not self._wanted:
                self._usual = sys.getswitchinterval()
            self._wanted.append(seconds)
            self._set()
        try:
            yield
        finally:
            with self._lock:
                self._wanted.remove(seconds)
                self._set()

    def _set(self) -> None:
        sys.setswitchinterval(min([self._usual, *self._wanted]))


switching: Final = Switching()  # one, as the interpreter has one
