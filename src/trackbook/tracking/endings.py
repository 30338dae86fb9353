"""How runs end before their time: by an exception, or because somebody asked them to."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from ..types import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..types import RunRecord
    from .recorder import Recorder


class Stopped(Exception):  # noqa: N818  # as KeyboardInterrupt, it says what happened
    """What `log` raises once a run is to stop, with ``init(stop="raise")``: its cell ends, and the run is ``interrupted``.

    Of no narrower kind, so that ``except RuntimeError``, as one writes it against a full GPU, does not catch it.
    """

    __module__ = "trackbook"  # where users find it: tracebacks and a run's error say so


class Stoppable:
    """What a run knows of being asked to stop. Its `log` looks at nothing but `_alert`."""

    stop_raises = False  # `init(stop="raise")`
    _should_stop = False
    _to_raise = False
    _alert: bool  # `log` has more to do than to record

    _record: RunRecord
    _recorder: Recorder
    _say: Callable[[], None]
    _in_child: bool

    @property
    def should_stop(self) -> bool:
        """Whether somebody asked this run to stop, on its board or by `stop`: a loop that looks at it can end itself."""
        return self._should_stop

    def stop(self) -> None:
        """Asks the code that logs here to stop, as the board's stop button does: `should_stop` is true from now on.

        With ``init(stop="raise")`` the next `log` raises `trackbook.Stopped`, once, so that the code that ends can still
        log. Raises ``RuntimeError`` for a run that has ended, or that another process writes.
        """
        name, state = self._record.name, self._record.state
        if self._recorder.closed:
            theirs = "is being written by another process; stop it there"
            raise RuntimeError(f"run {name!r} {theirs if state == 'running' else f'is {state} already'}")
        self._should_stop = True
        self._to_raise = self.stop_raises
        self._alert |= self.stop_raises

    def _attend(self, now: float, values: dict[str, float], step: int | None) -> None:
        """What `log` does seldom: it says what was found, and ends the loop that logs where that was asked for."""
        self._say()
        if self._to_raise and self._recorder.record(now, values, step):
            self._to_raise, self._alert = False, self._in_child
            raise Stopped(f"run {self._record.name!r} was stopped")


class Terminated(SystemExit):
    """What SIGTERM raises in a script, so that the program unwinds and its runs end."""


def state_after(error: BaseException | None) -> tuple[State, str | None]:
    """How a run ends that an exception ends, or none, and what to say of it."""
    if isinstance(error, Terminated):
        return "interrupted", "SIGTERM"
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "finished", None
    said = "".join(traceback.format_exception_only(error)).strip().encode(errors="backslashreplace").decode()
    return "interrupted" if isinstance(error, KeyboardInterrupt | Stopped) else "failed", said
