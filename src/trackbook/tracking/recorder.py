"""The core of `log`: assigns a step to each point of a call, and writes the call to the journal."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from ..journal.journal import Journal
from ..journal.records import NEXT_STEP
from ..types import StepBy
from .logged_values import LARGEST_STEP


class Metric:
    """A metric's number in the journal, and its next step."""

    __slots__ = ("next", "number")

    def __init__(self, number: int, next_step: int) -> None:
        self.number = number
        self.next = next_step


class Recorder:
    """Counts steps, for each metric or for the whole run, and writes calls to the journal. Safe in threads, signal handlers and forks.

    The lock is reentrant, for a signal handler that logs while its thread is in here. There is no call between reading and setting a
    counter, so no handler can run in between. Counters go up before the record is written, so an interrupted call leaves a gap, and
    no step is assigned twice.
    """

    def __init__(self, journal: Journal, step_by: StepBy, largest: Mapping[str, int], first_step: int = 0) -> None:
        """Begin after the `largest` step of each metric; a run that counts for all of them begins at `first_step` or later."""
        self.journal = journal
        self.closed = False
        self.lock = threading.RLock()
        self.metrics: dict[str, Metric] = {}
        self._earlier = dict(largest)  # steps of a resumed run, for metrics that this process has not logged yet
        self.first_step: int = max(first_step, max(largest.values(), default=-1) + 1)
        self._next = self.first_step
        self._by_metric = step_by == "metric"
        self._counts = False  # whether metrics counted their own steps, of which `_next` knows nothing
        self._in_child = False

    def record(
        self,
        now: float,
        values: Mapping[str, float],
        step: int | None,
        hold: bool = False,  # Python takes defaults of keyword-only parameters from a dict, 1 % of the call
    ) -> bool:
        """Write one point for each of `values`, all or none; return False when the recorder is closed.

        With `hold` the run's count stays, so that the next call without a step is at the same step. Raises ``ValueError`` when a metric has reached the largest step.
        """
        metrics = self.metrics
        left = count = len(values)
        fields: Any = [] if left > 1 else ()  # of one metric it is the tuple itself, which takes less time
        with self.lock:
            if self.closed:
                return False
            if step is None and not self._by_metric:
                step = NEXT_STEP if self._in_child else self._next
            if step is None:
                self._counts = True
            elif left and step >= self._next and not hold:
                self._next = step + 1
            for name, value in values.items():
                try:  # in less time than `get`
                    metric = metrics[name]
                except KeyError:
                    metric = self._add(name)
                if step is None:
                    number = metric.next
                    metric.next = number + 1
                else:
                    number = step
                    if number >= metric.next:
                        metric.next = number + 1
                fields += (now, number, value, metric.number, left)
                left -= 1
            try:
                self.journal.write(count, fields)
            except struct.error:
                self._take_back(values, step)
                raise ValueError("the largest step, 2**63 - 1, is taken; log with a smaller step=") from None
        return True

    def step_of_call(self, step: int | None, *, hold: bool) -> int | None:
        """Count a call that records media, and return the step of all of it; None when each name counts for itself.

        Called under `lock`. In a forked child that is `NEXT_STEP`, as for points.
        """
        if step is None:
            if self._by_metric:
                return None
            step = NEXT_STEP if self._in_child else self._next
        if step >= self._next and not hold:
            self._next = step + 1
        return step

    def going_back(self, metrics: Iterable[str], step: int) -> list[str]:
        """Return the metrics that were logged at `step` or after it, and may have a point there."""
        if step >= self._next and not self._counts:
            return []
        known = self.metrics
        return [
            name for name in metrics if step < (known[name].next if name in known else self._earlier.get(name, -1) + 1)
        ]

    def number(self, metrics: Iterable[str], steps: Iterable[int], calls: Iterable[int]) -> list[int]:
        """Return the steps of points that a forked child logged, including those that the child could not count.

        `calls` holds the number of the call of each point. Raises ``OSError`` when the run is busy logging.
        """
        given: list[int] = []
        current = None
        if not self.lock.acquire(timeout=1.0):  # a signal handler inside `log` may wait for this thread
            raise OSError("the run is busy logging")
        try:
            for name, asked, call in zip(metrics, steps, calls, strict=True):
                metric = self.metrics.get(name) or self._add(name)
                if asked != NEXT_STEP:
                    step = asked
                elif self._by_metric:
                    step = metric.next
                else:
                    step = self._next if call != current else self._next - 1
                step = min(step, LARGEST_STEP)  # after the largest step a point is a duplicate
                current = call
                metric.next = max(metric.next, step + 1)
                self._next = max(self._next, step + 1)
                given.append(step)
        finally:
            self.lock.release()
        return given

    @property
    def by_metric(self) -> bool:
        """Whether each metric counts its own steps."""
        return self._by_metric

    @property
    def next_step(self) -> int:
        """The step after the largest one of the run, as far as it is known."""
        return max([self._next, *(metric.next for metric in self.metrics.values())])

    def close(self) -> None:
        """Accept no more calls."""
        with self.lock:
            self.closed = True

    def go_on_in_child(self, journal: Journal) -> None:
        """After a fork, write to the child's own journal, and leave counting to the parent."""
        self.lock = threading.RLock()  # another thread may have held it at the fork
        self.journal = journal
        self.metrics = {}
        self._by_metric = False
        self._in_child = True

    def _add(self, name: str) -> Metric:
        metric = Metric(self.journal.metric(name), self._earlier.get(name, -1) + 1)
        return self.metrics.setdefault(name, metric)  # a signal handler that logs may have been faster

    def _take_back(self, values: Iterable[str], step: int | None) -> None:
        """Undo the counting of a call that was not written."""
        if step is None:
            for name in values:
                self.metrics[name].next -= 1
        else:
            self._next = step
