"""The functions that Ray Train and Ray Tune call in threads of their own: the runs that one leaves open end with it.

Ray catches its exception, and kills the worker once the thread has ended, so that Python calls no `atexit` functions.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from .endings import state_after

if TYPE_CHECKING:
    from .run_writer import RunWriter

_ENDING_SECONDS: Final = 5.0  # which a trial of Ray Tune that is over may take to end


class _Ending:
    """Ends the open runs that a thread has begun, in its last moment: when Python deletes this with the thread's local data.

    The thread still counts as alive then, and Ray waits for it.
    """

    def __init__(self, runs: list[RunWriter], error: Callable[[], BaseException | None]) -> None:
        self._runs = runs
        self._error = error
        self._thread = threading.current_thread()

    def __del__(self) -> None:
        for writer in reversed(self._runs.copy()):
            if writer.origin.thread is self._thread and not writer.in_child:
                writer.end(*state_after(self._error()))


class _Here(threading.local):
    ending: _Ending | None = None


_here = _Here()


def end_with_function(runs: list[RunWriter]) -> None:
    """End those of `runs` that this thread begins with the function that Ray calls in it. In other threads, do nothing."""
    if "ray" in sys.modules and _here.ending is None:
        error = _error_of(_runner())
        _here.ending = None if error is None else _Ending(runs, error)


def _runner() -> Any:
    """Return the object whose method, called first in this thread, is Ray's; None in other threads."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001  # documented
    inner = None
    while frame is not None and frame.f_globals.get("__name__") != "threading":
        frame, inner = frame.f_back, frame
    is_of_ray = frame is not None and inner is not None and str(inner.f_globals.get("__name__")).startswith("ray.")
    return inner.f_locals.get("self") if is_of_ray and inner is not None else None


def _error_of(runner: Any) -> Callable[[], BaseException | None] | None:
    """Return a function that returns the exception of the function that Ray's `runner` calls; None for any other object.

    Ray Train has one that tells it. That of Ray Tune is a thread, which is only told, not of the `SystemExit` that ends a trial early. Ray
    Tune joins it with no time to end, and may kill the process then: it gets the time from here.
    """
    if hasattr(runner, "get_error"):
        return lambda: getattr(told := runner.get_error(), "_base_exc", told)
    propagate = getattr(runner, "_propagate_exception", None)
    if propagate is None:
        return None
    errors: list[BaseException] = []

    def note(error: BaseException) -> None:
        is_wrapped = type(error).__name__ == "StartTraceback"  # by Ray Train before version 2.51
        errors.append((error.__cause__ if is_wrapped else None) or error)
        propagate(error)

    join = runner.join
    runner.join = lambda timeout=None: join(None if timeout is None else max(timeout, _ENDING_SECONDS))
    runner._propagate_exception = note  # noqa: SLF001  # private API: Ray has no other
    return lambda: errors[0] if errors else None
