"""``%track watch``: logging of notebook variables after each cell."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from ..api.run import current_run
from ..notebook import host
from ..tracking.endings import Stopped
from ..tracking.logged_values import check_name
from ..tracking.run import Run
from .instrument import KINDS, VALUE
from .messages import show_note
from .tracker import Tracker


class Watcher:
    """Logs variables after each cell, to the run that is open at that time."""

    def __init__(self, current_run: Callable[[], Run | None]) -> None:
        self._current_run = current_run
        self.names: list[str] = []
        self._shell: Any | None = None
        self._tracker = Tracker([], say=_say)
        self._hook = host.CellHook("post_run_cell", self._log, "logs what %track watches")

    def attach(self, shell: Any) -> None:
        self._shell = shell
        self._hook.watch(shell)

    def add(self, names: Iterable[str]) -> None:
        """Watch more variables. Raises ``ValueError`` for a text that is not a variable name."""
        for name in names:
            if not check_name(name).isidentifier():
                raise ValueError(f"{name!r} is not a variable; assign it to one and watch that")
        self.names = list(dict.fromkeys([*self.names, *names]))
        self._tracker = Tracker(self.names, say=_say)

    def remove(self, names: Iterable[str]) -> None:
        """Stop watching variables. Raises ``ValueError`` for one that is not watched."""
        for name in names:
            if name not in self.names:
                raise ValueError(f"{name!r} is not watched; {', '.join(self.names) or 'nothing'} is")
        self.names = [name for name in self.names if name not in names]
        self._tracker = Tracker(self.names, say=_say)

    def _log(self, _: Any) -> None:
        run = self._current_run()
        if run is None or self._shell is None:
            return
        self._tracker.begin(run)
        for number, name in enumerate(self.names):
            if name in self._shell.user_ns:
                with contextlib.suppress(Stopped):  # there is no loop to end
                    self._tracker(number * KINDS + VALUE, self._shell.user_ns[name])
        self._tracker.end()


def _say(message: str) -> None:
    show_note(f"%track watch: {message}")


watching = Watcher(current_run)
