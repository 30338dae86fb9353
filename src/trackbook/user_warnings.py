"""Warnings, and how they reach the user.

Errors are built-in exceptions, so that users can catch them without an import:

* ``TypeError``: a value, name or step of a type that cannot be logged;
* ``ValueError``: a value out of range, or a name that does not exist;
* ``RuntimeError``: a call at the wrong time, such as `log` without an open run.

The only exception of our own is `Stopped`: to stop a run is not an error, and users may catch it to save their work.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

# A failing disk is reported again after so long without failures: a disk that fills up has room now and then.
WELL_AGAIN_SECONDS = 60.0
_HERE = str(Path(__file__).parent) + os.sep


class TrackbookWarning(UserWarning):
    """A problem that does not stop training: a discarded point, an ignored keyword, a full disk."""


_say: contextvars.ContextVar[Callable[[str], None] | None] = contextvars.ContextVar("trackbook_say", default=None)


class said_by:  # noqa: N801  # a context manager, as those of the standard library
    """Within this context, pass messages to `say` instead of issuing warnings. Cheap, as tracked code enters it for each value."""

    __slots__ = ("_say", "_token")

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def __enter__(self) -> None:
        self._token = _say.set(self._say)

    def __exit__(self, *_: object) -> None:
        _say.reset(self._token)


def warn(message: str) -> None:
    """Issue a `TrackbookWarning` that points at the first line outside of trackbook."""
    say = _say.get()
    if say is not None:
        say(message)
        return
    frame, level = sys._getframe(1), 2  # noqa: SLF001  # the documented way to the caller's frame
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, TrackbookWarning, stacklevel=level)


_said: set[str] = set()


def warn_once(message: str, more: str = "") -> None:
    """Issue a `TrackbookWarning` the first time that this process has to say `message`; `more` follows it."""
    if message not in _said:
        _said.add(message)
        warn(message + more)


class Findings:
    """Queue of warnings by the pump, each once. The user's thread issues them in a call of `log`."""

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
        """Queue only the first of simultaneous failures, which all have one cause: the disk."""
        if failures:
            now = time.monotonic()
            if now - self._failed_last >= WELL_AGAIN_SECONDS:
                self.note(failures[:1])
            self._failed_last = now

    def say(self) -> None:
        with contextlib.suppress(IndexError):  # another thread has issued the last one
            while self.to_say:
                warn(self.to_say.popleft())
