"""The recorders of a run's cells, console, environment and system metrics, and the registry that switches a failing one off."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Protocol

from ..tracking.run_writer import RunWriter
from ..user_warnings import warn


class Capture(Protocol):
    """A recorder of one kind of data, for any number of open runs. An exception in it switches only this capture off."""

    def begin(self, run: RunWriter) -> None:
        """Start recording for a run that was opened or resumed."""

    def end(self, run: RunWriter) -> None:
        """Stop recording for a run that is about to end. Rows put into its store now are kept."""

    def forget_in_child(self) -> None:
        """Forget all runs in a forked child, without touching what the parent still uses. The child may open runs of its own."""


class LazyCapture:
    """A capture whose module is imported when the first run asks for it."""

    def __init__(self, make: Callable[[], Capture]) -> None:
        self._make = make
        self._made: Capture | None = None

    def begin(self, run: RunWriter) -> None:
        self._made = self._made or self._make()
        self._made.begin(run)

    def end(self, run: RunWriter) -> None:
        if self._made is not None:
            self._made.end(run)

    def forget_in_child(self) -> None:
        if self._made is not None:
            self._made.forget_in_child()


class Captures:
    """The captures of this process, by name."""

    def __init__(self) -> None:
        self._captures: dict[str, Capture] = {}

    def add(self, name: str, capture: Capture) -> None:
        self._captures[name] = capture

    def begin(self, run: RunWriter, wanted: Collection[str]) -> None:
        for name, capture in list(self._captures.items()):
            if name in wanted:
                end = partial(self._end, name, capture)
                run.before_end.append(end)  # first, since an interrupted `begin` has also begun
                if not self._try(name, partial(capture.begin, run)):
                    run.before_end.remove(end)

    def guarded(self, name: str, work: Callable[..., None]) -> Callable[..., None]:
        """Return `work` of a capture wrapped for use as a callback: it never raises, and does nothing once the capture is off."""

        def call(*given: Any) -> None:
            if name in self._captures:
                self._try(name, partial(work, *given))

        return call

    def forget_in_child(self) -> None:
        for capture in self._captures.values():
            capture.forget_in_child()

    def _end(self, name: str, capture: Capture, run: RunWriter) -> None:
        """End a capture even if it is off: otherwise its thread for this run would never end."""
        self._try(name, partial(capture.end, run))

    def _try(self, name: str, work: partial[None]) -> bool:
        try:
            work()
        except Exception as error:  # noqa: BLE001  an exception here must not stop the user's run
            if self._captures.pop(name, None) is not None:
                warn(f"trackbook no longer records {name} beside runs, because that failed: {error!r}")
            return False
        return True
