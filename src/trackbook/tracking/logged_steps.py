"""Steps that a metric has points at, for calls that go back to an earlier step: they learn at once whether it is taken."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from heapq import merge
from typing import Final

MOST_APART: Final = 50_000  # steps in a set, of 60 bytes each; more join the array, of 8

Read = Callable[[str, int], "array[int] | None"]


class _Metric:
    def __init__(self) -> None:
        self.sorted = array("q")
        self.apart: set[int] = set()
        self.end = 0  # what was logged at smaller steps is in `sorted` or `apart`

    def has(self, step: int) -> bool:
        place = bisect_left(self.sorted, step)
        return step in self.apart or (place < len(self.sorted) and self.sorted[place] == step)

    def add(self, steps: array[int]) -> None:
        if len(steps) <= MOST_APART:
            self.apart.update(steps)
            steps = array("q")
        if len(steps) or len(self.apart) > MOST_APART:
            self.sorted = array("q", merge(self.sorted, sorted(self.apart), steps))
            self.apart.clear()


class LoggedSteps:
    """Knows the steps of those metrics that somebody asked about. Safe in threads.

    A question about a step after all known ones reads what came since; others are answered from memory. A call whose step is
    larger than all before asks nothing.
    """

    def __init__(self, read: Read) -> None:
        """`read` returns the steps of a metric from a step on, ascending, everything logged until now included; None: not now."""
        self._read = read
        self._metrics: dict[str, _Metric] = {}
        self._lock = threading.RLock()

    def has(self, metric: str, step: int) -> bool:
        """Return whether the metric has a point at a step; False where that cannot be read now."""
        with self._lock:
            known = self._metrics.setdefault(metric, _Metric())
            if step >= known.end:
                new = self._read(metric, known.end)
                if new is None:
                    return False
                known.add(new)
                known.end = new[-1] + 1 if new else known.end
            return known.has(step)

    def add(self, metrics: Iterable[str], step: int) -> None:
        """Note points that were logged after a question about them."""
        with self._lock:
            for metric in metrics:
                known = self._metrics.get(metric)
                if known is not None and step < known.end:
                    known.add(array("q", [step]))
