"""Where `log` puts its records until the pump hands them to the store."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import polars as pl


class Journal(Protocol):
    """Written by the training threads, drained by one other thread."""

    def append(self, time: float, metrics: Sequence[str], steps: Sequence[int], values: Sequence[float]) -> None:
        """Takes in the points of one call, all or none. Costs microseconds and waits for nothing."""

    def drain(self) -> pl.DataFrame | None:
        """What came since the last drain, in order, as the store takes it (`store.POINTS`); None when nothing did."""


class MemoryJournal:
    """Keeps records in memory."""

    def __init__(self) -> None:
        self._calls: deque[tuple[float, Sequence[str], Sequence[int], Sequence[float]]] = deque()

    def append(self, time: float, metrics: Sequence[str], steps: Sequence[int], values: Sequence[float]) -> None:
        self._calls.append((time, metrics, steps, values))

    def drain(self) -> pl.DataFrame | None:
        calls = [self._calls.popleft() for _ in range(len(self._calls))]
        if not calls:
            return None
        import polars as pl

        from .store._interface import POINTS

        columns = {
            "metric": [name for _, metrics, _, _ in calls for name in metrics],
            "step": [step for _, _, steps, _ in calls for step in steps],
            "value": [value for _, _, _, values in calls for value in values],
            "time": [time for time, metrics, _, _ in calls for _ in metrics],
        }
        return pl.DataFrame(columns, schema=POINTS)


class NullJournal:
    """Keeps nothing: the journal of a disabled run."""

    def append(self, time: float, metrics: Sequence[str], steps: Sequence[int], values: Sequence[float]) -> None:
        """Drops the points."""

    def drain(self) -> pl.DataFrame | None:
        return None
