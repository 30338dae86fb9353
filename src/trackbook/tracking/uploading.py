"""What a run knows about its upload to another machine, and the wait for its end."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from .logged_values import to_seconds

if TYPE_CHECKING:
    from ..types import SyncState
    from .run import Run
    from .run_writer import RunWriter

_BAR: Final = 20  # characters


class Uploading(Protocol):
    """The upload of one run."""

    @property
    def state(self) -> SyncState:
        """How far it is, as far as this process knows."""

    def wait(self, seconds: float | None, show: Callable[[SyncState], None]) -> SyncState:
        """Wait until the run is uploaded, and return its state; `show` gets each state on the way."""


def _sync_state(run: Run) -> SyncState | None:
    """How far the upload is, as ``target, state, left, at, problem``; None for a run that this process does not upload.

    ``state`` is ``synced``, ``uploading``, ``waiting`` or ``refused``; ``left`` counts points; ``at`` is in seconds UTC.
    """
    upload = run._writer.upload  # noqa: SLF001  # it becomes a property of runs
    return None if upload is None else upload.state


sync_state = property(_sync_state)


def wait_for_upload(writer: RunWriter, wait: bool | float) -> None:
    """Wait for the upload of a run that has ended, with a progress bar, and say what is left.

    Raises ``TypeError`` and ``ValueError`` for a `wait` that is neither a bool nor seconds.
    """
    if wait is not True and wait is not False:
        wait = to_seconds(wait, "wait")
    if wait is False or writer.upload is None:
        return
    bar = _Bar(writer.name)
    state = writer.upload.wait(None if wait is True else float(wait), bar.show)
    bar.end(state)
    writer.say()


class _Bar:
    """A line on stderr; as plain text only where it can be written again."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._most = 0
        self._shown = ""

    def show(self, state: SyncState) -> None:
        self._most = max(self._most, state.left)
        done = 1.0 if not self._most else 1 - state.left / self._most
        bar = "#" * math.floor(done * _BAR)
        text = f"Trackbook: uploading [{bar:<{_BAR}}] {state.left:,} points left"
        if text != self._shown and sys.stderr.isatty():
            self._shown = text
            print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)  # noqa: T201  # asked for by `wait`

    def end(self, state: SyncState) -> None:
        start = "\r\033[K" if self._shown else ""
        print(f"{start}Trackbook: {said(self._run, state)}", file=sys.stderr, flush=True)  # noqa: T201  # likewise


def summed_up(uploads: Sequence[Uploading]) -> tuple[dict[str, Any] | None, list[str]]:
    """Return what a board says of uploads, and problems as sentences.

    It says ``at``, when the last points came there in seconds UTC, and how many points are ``left``; nothing where there are problems.
    """
    states = [upload.state for upload in uploads]
    problems = list(dict.fromkeys(f"Not uploaded: {state.problem}." for state in states if state.problem))
    if problems or not states:
        return None, problems
    at = max((round(state.at) for state in states if state.at is not None), default=None)
    return {"at": at, "left": sum(state.left for state in states)}, problems


def said(run: str, state: SyncState) -> str:
    """Return a sentence about a run's upload."""
    if state.state == "synced":
        return f"run {run!r} is at {state.target}"
    why = f" ({state.problem})" if state.problem else ""
    left = f"{state.left:,} point{'' if state.left == 1 else 's'}" if state.left else "the last state"
    return f"{left} of run {run!r} {'are' if state.left > 1 else 'is'} not at {state.target} yet{why}; `trackbook sync` sends the rest"
