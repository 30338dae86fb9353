"""Warnings, and how they reach the user.

Errors are the built-in ones, so that nobody has to import ours to catch them:

* ``TypeError``: a value, name or step of a kind that cannot be logged;
* ``ValueError``: one of the right kind that is out of range, or names something that does not exist;
* ``RuntimeError``: a call at the wrong time, such as `log` with no run open.

`Stopped` alone is ours: a run that is to stop is no error, and is caught to save what is worth it.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

WELL_AGAIN_SECONDS = 60.0  # after which a failing disk is reported again: a disk that fills up has room now and then
_HERE = str(Path(__file__).parent) + os.sep


class TrackbookWarning(UserWarning):
    """Something was left out or corrected, and training goes on: a discarded point, an ignored keyword, a full disk."""


_say: contextvars.ContextVar[Callable[[str], None] | None] = contextvars.ContextVar("trackbook_say", default=None)


@contextlib.contextmanager
def said_by(say: Callable[[str], None]) -> Iterator[None]:
    """Within this context, pass messages to `say` in place of warning of them."""
    token = _say.set(say)
    try:
        yield
    finally:
        _say.reset(token)


def warn(message: str) -> None:
    """Issue a `TrackbookWarning` that points at the caller's line, not at ours."""
    say = _say.get()
    if say is not None:
        say(message)
        return
    frame, level = sys._getframe(1), 2  # noqa: SLF001  # the documented way to the caller's frame
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, TrackbookWarning, stacklevel=level)


class Findings:
    """Queue of warnings found by the pump, each once; the user's thread issues them at a line that calls `log`."""

    def __init__(self) -> None:
        self.to_say: deque[str] = deque()
        self.noted: set[str] = set()
        self._failed_last = float("-inf")

    def note(self, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            if sentence not in self.noted:
                self.noted.add(sentence)
                self.to_say.append(sentence)

    def note_failures(self, failures: Sequence[str]) -> None:
        """Queue the first of several simultaneous failures: they have one cause, the disk."""
        if failures:
            now = time.monotonic()
            if now - self._failed_last >= WELL_AGAIN_SECONDS:
                self.note(failures[:1])
            self._failed_last = now

    def say(self) -> None:
        with contextlib.suppress(IndexError):  # another thread issued the last one
            while self.to_say:
                warn(self.to_say.popleft())
