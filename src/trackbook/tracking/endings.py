"""The states in which runs end: by themselves, by an exception, or because somebody stopped them."""

from __future__ import annotations

import traceback

from ..types import State


class Stopped(Exception):  # noqa: N818  # as KeyboardInterrupt, it says what happened
    """Raised by `log` with ``init(stop="raise")`` once the run is asked to stop: the cell ends, and the run is ``interrupted``.

    Derived from `Exception` alone, so that ``except RuntimeError``, often written against a full GPU, does not catch it.
    """

    __module__ = "trackbook"  # where users find it: tracebacks and a run's error say so


def state_after(error: BaseException | None) -> tuple[State, str | None]:
    """Return the state of a run that ends with an exception, or without one, and the text of its error."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "finished", None
    said = "".join(traceback.format_exception_only(error)).strip().encode(errors="backslashreplace").decode()
    return "interrupted" if isinstance(error, KeyboardInterrupt | Stopped) else "failed", said
