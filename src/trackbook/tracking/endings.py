"""The states in which runs end: by themselves, by an exception, or stopped by a user."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Final

from ..types import State
from ..user_warnings import IN_MEMORY

if TYPE_CHECKING:
    from .run_writer import RunWriter


class Stopped(Exception):  # noqa: N818  # as KeyboardInterrupt, it says what happened
    """Raised by `log` with ``init(stop="raise")`` after a request to stop: it ends the cell and leaves the run ``interrupted``.

    Not a `RuntimeError`, which training loops often catch because of a full GPU.
    """

    __module__ = "trackbook"  # the public path, shown in tracebacks and in a run's error


_WORDS: Final[dict[State, str]] = {
    "running": "is running",
    "finished": "has finished",
    "failed": "has failed",
    "interrupted": "was interrupted",
    "lost": "was lost",
}


def in_words(state: State) -> str:
    """Return what a sentence says of a run in a state, after the run's name."""
    return _WORDS[state]


def state_after(error: BaseException | None, cell: int | None = None) -> tuple[State, str | None]:
    """Return the state of a run that ends with `error`, or with None, and the text of the error.

    The text names `cell`, the count of the cell that raised it, if given.
    """
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "finished", None
    said = "".join(traceback.format_exception_only(error)).strip().encode(errors="backslashreplace").decode()
    if cell is not None:
        said = f"{said} (In [{cell}])"
    return "interrupted" if isinstance(error, KeyboardInterrupt | Stopped) else "failed", said


def loss(writer: RunWriter, *, is_over: bool) -> str:
    """Say what of an ended run is only in memory, and why. `is_over`: no further attempt is made to write it."""
    count = writer.at_risk
    points = f"{count:,} point{'s' * (count != 1)}" if count else "name, config and results"
    are = "is" if count == 1 else "are"
    what = (
        f"could not be written, and {are} lost"
        if is_over
        else f"{are} lost when this process ends, unless written before"
    )
    why = next(iter([*writer.store.failures, *writer.recorder.journal.notices]), "").removesuffix(IN_MEMORY)
    return f"{points} of run {writer.name!r} {what}. {why}".rstrip()
