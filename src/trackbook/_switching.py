"""How often the interpreter changes threads: more often, where many short waits for its lock would add up."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

QUICK: Final = 0.0001  # seconds


@contextmanager
def quick_switching() -> Iterator[None]:
    """While a cell computes, whoever asks for the interpreter's lock waits for the switch interval, 5 ms, and reading or
    handing over many points asks for it a hundred times. For this while it is shorter.
    """
    before = sys.getswitchinterval()
    if before <= QUICK:  # another thread is in here, and sets it back
        yield
        return
    sys.setswitchinterval(QUICK)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
