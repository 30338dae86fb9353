"""The x axes that loops are: values of an epoch loop stand at the step that its batches have reached, and are drawn over epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..tracking.run import Run, writer_of


class LoopAxes:
    """Gives the values of outer loops their steps, and logs the loop's variable beside them as their x axis."""

    def __init__(
        self,
        names: Sequence[str] = (),
        of: Mapping[str, int | None] | None = None,
        phases: Mapping[str, int] | None = None,
    ) -> None:
        """`names` are the loops' variables, `of` has the number of the loop that is the x axis of a metric.

        None stands for a metric that has points now and then, at the steps that the others of its loop have reached. `phases` has the
        number of the loop over ``"train"`` and ``"val"`` whose variable is the group of a metric.
        """
        self._names = names
        self._of = dict(of or {})
        self._phases = dict(phases or {})
        self.metrics = frozenset({*self._of, *self._phases})
        self._coarse = {*names, *self._of}
        self._counts = [-1] * len(names)
        self._values: list[float] = [0.0] * len(names)
        self._texts = [""] * len(names)
        self._last: dict[str, int] = {}

    def begin(self, number: int, variable: Any) -> None:
        """Note that an iteration of a loop begins. Its place on the axis is its variable if that is a number, else a count."""
        self._counts[number] += 1
        plain = type(variable) in (int, float)
        self._values[number] = float(variable) if plain else float(self._counts[number])
        if type(variable) is str:
            self._texts[number] = variable

    def log(self, run: Run, metric: str, value: float) -> str:
        """Log a value of one of `metrics`; return the name that it has in its phase."""
        phase = self._phases.get(metric)
        name = f"{self._texts[phase]}/{metric}" if phase is not None else metric
        if metric in self._of:
            self._coarse.add(name)
            self._log_aligned(run, name, value, self._of[metric])
        else:
            run.log({name: value})
        return name

    def _log_aligned(self, run: Run, metric: str, value: float, number: int | None) -> None:
        known = list(writer_of(run).recorder.metrics.items())
        reached = max((one.next - 1 for name, one in known if name not in self._coarse), default=-1)
        step = max(reached, self._last.get(metric, -1) + 1)
        values = {metric: value}
        if number is not None:
            axis = self._names[number]
            if metric not in self._last:
                run.define_metric(metric, axis)
            if step > self._last.get(axis, -1):
                self._last[axis] = step
                values[axis] = self._values[number]
        self._last[metric] = step
        run.log(values, step)
