"""The x axes that loops are: values of an epoch loop stand at the step that its batches have reached, and are drawn over epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..tracking.run import Run, writer_of


class LoopAxes:
    """Gives the values of outer loops their steps, and logs the loop's variable beside them as their x axis."""

    def __init__(self, names: Sequence[str] = (), of: Mapping[str, int | None] | None = None) -> None:
        """`names` are the loops' variables; `of` tells the number of the loop of each metric that has one.

        None stands for the innermost loop: such a metric has points now and then, at the steps that the others have reached.
        """
        self._names = names
        self._of = dict(of or {})
        self.metrics = frozenset(self._of)
        self._coarse = {*names, *self._of}
        self._counts = [-1] * len(names)
        self._values: list[float] = [0.0] * len(names)
        self._last: dict[str, int] = {}

    def begin(self, number: int, variable: Any) -> None:
        """Note that an iteration of a loop begins. Its place on the axis is its variable if that is a number, else a count."""
        self._counts[number] += 1
        plain = type(variable) in (int, float)
        self._values[number] = float(variable) if plain else float(self._counts[number])

    def log(self, run: Run, metric: str, value: float) -> None:
        """Log a value of an outer loop, or one that comes now and then."""
        known = writer_of(run).recorder.metrics
        reached = max((one.next - 1 for name, one in known.items() if name not in self._coarse), default=-1)
        step = max(reached, self._last.get(metric, -1) + 1)
        values = {metric: value}
        number = self._of[metric]
        if number is not None:
            axis = self._names[number]
            if metric not in self._last:
                run.define_metric(metric, axis)
            if step > self._last.get(axis, -1):
                self._last[axis] = step
                values[axis] = self._values[number]
        self._last[metric] = step
        run.log(values, step)
