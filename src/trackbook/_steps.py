"""Which step a point gets."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ._types import StepBy
from ._values import LARGEST_STEP


class Steps:
    """Counts steps per metric, or for the whole run. `largest` is where a resumed run goes on."""

    def __init__(self, by: StepBy, largest: Mapping[str, int]) -> None:
        self.by = by
        self._largest = dict(largest)
        self._next = max(self._largest.values(), default=-1) + 1

    def assign(self, metrics: Collection[str], step: int | None) -> list[int]:
        """A step for each metric of one call: `step` for all, or each one's next, or the run's next.

        Raises ``ValueError``, and counts nothing, when a metric has come to the largest step there is.
        """
        if step is None and self.by == "run":
            step = self._next
        steps = [self._largest.get(name, -1) + 1 for name in metrics] if step is None else [step] * len(metrics)
        if max(steps, default=0) > LARGEST_STEP:
            raise ValueError("the largest step, 2**63 - 1, is taken; log with a smaller step=")
        for name, taken in zip(metrics, steps, strict=True):
            if taken > self._largest.get(name, -1):
                self._largest[name] = taken
        self._next = max(self._next, max(steps, default=-1) + 1)
        return steps
