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
from typing import ParamSpec, TypeVar

# A failing disk is reported again after so long without failures: a disk that fills up has room now and then.
WELL_AGAIN_SECONDS = 60.0
# The end of what is said of a file that cannot be written, while that holds.
IN_MEMORY = " Nothing is lost while this process lives: points stay in memory, and writing goes on as soon as it can."
_HERE = str(Path(__file__).parent) + os.sep


class TrackbookWarning(UserWarning):
    """A problem that does not stop training: a discarded point, an ignored keyword, a full disk."""


_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_say: contextvars.ContextVar[Callable[[str], None] | None] = contextvars.ContextVar("trackbook_say", default=None)


def said_by(
    say: Callable[[str], None],
    function: Callable[_Given, _Result],
    *given: _Given.args,
    **named: _Given.kwargs,
) -> _Result:
    """Return what `function` returns, and pass its messages to `say` instead of issuing warnings. Cheap: tracked code calls it for each value.

    The context is a copy, so it ends with the call, even by an interrupt between two bytecodes; one that is set and reset may stay.
    """
    context = contextvars.copy_context()
    context.run(_say.set, say)
    return context.run(function, *given, **named)


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
