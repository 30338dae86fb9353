"""The run of a ``%%track`` cell, with what is otherwise while the cell runs: replaced functions, active adapters."""

from __future__ import annotations

from contextlib import ExitStack

from ..integrations.adapters import Activation, active
from ..tracking.run import Run
from ..types import State
from ..user_warnings import said_by
from .functions import Replaced
from .messages import show_note
from .tracked_code import TrackedCode
from .tracker import Tracker


class TrackedRun:
    """A run and its tracker. `finish` puts everything back, also when it is interrupted, and may be called again."""

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self.run: Run | None = None
        self._replaced = Replaced()
        self._adapters = ExitStack()
        self._activation: Activation | None = None

    def begin(self, run: Run, code: TrackedCode) -> None:
        """Log to `run` from now on, from the code of the cell, the functions that it reaches and the libraries that it uses."""
        self.run = run
        self.tracker.begin(run)
        self._activation = self._adapters.enter_context(active(run))
        code.replace(self._replaced)

    @property
    def adapted(self) -> set[str]:
        """The metrics that adapters of libraries logged."""
        return set() if self._activation is None else self._activation.metrics

    def finish(self, state: State | None = None) -> None:
        """End the run, and put back functions and libraries."""
        try:
            self.tracker.end()
            if self.run is not None and not self.run.ended:
                said_by(show_note, self.run.finish, state)
        finally:
            with self._adapters:
                self._replaced.restore()
