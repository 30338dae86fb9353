"""What is recorded of a run beside what it logs: cells, console, environment, system metrics."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Protocol

from ..errors import warn
from ..tracking.run_writer import RunWriter


class Capture(Protocol):
    """Records one such thing, of any number of runs at once. What it raises switches it off, and breaks nothing else."""

    def begin(self, run: RunWriter) -> None:
        """A run was opened, or resumed."""

    def end(self, run: RunWriter) -> None:
        """A run is about to end: what its store gets now is kept."""

    def leave(self) -> None:
        """In a forked child: forgets its runs, and touches nothing that it shares with its parent. The child may open its own."""


class LazyCapture:
    """A capture that is made, and its module imported, when the first run wants it."""

    def __init__(self, make: Callable[[], Capture]) -> None:
        self._make = make
        self._made: Capture | None = None

    def begin(self, run: RunWriter) -> None:
        self._made = self._made or self._make()
        self._made.begin(run)

    def end(self, run: RunWriter) -> None:
        if self._made is not None:
            self._made.end(run)

    def leave(self) -> None:
        if self._made is not None:
            self._made.leave()


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
                run.before_end.append(end)  # first: a begin that an interrupt breaks off has begun
                if not self._try(name, partial(capture.begin, run)):
                    run.before_end.remove(end)

    def guarded(self, name: str, work: Callable[..., None]) -> Callable[..., None]:
        """`work` of a capture, to be called from anywhere: it does nothing once the capture is off, and never raises."""

        def call(*given: Any) -> None:
            if name in self._captures:
                self._try(name, partial(work, *given))

        return call

    def leave(self) -> None:
        for capture in self._captures.values():
            capture.leave()

    def _end(self, name: str, capture: Capture, run: RunWriter) -> None:
        """Also of one that is off: what it began with this run would else go on for ever."""
        self._try(name, partial(capture.end, run))

    def _try(self, name: str, work: partial[None]) -> bool:
        try:
            work()
        except Exception as error:  # noqa: BLE001  whatever it is, the user's run goes on
            if self._captures.pop(name, None) is not None:
                warn(f"trackbook no longer records {name} beside runs, because that failed: {error!r}")
            return False
        return True
